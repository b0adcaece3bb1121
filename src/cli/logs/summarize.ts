/**
 * The summary of log files.
 *
 * @module
 */

import process from "node:process";
import { ExitCode } from "../cli_error.ts";
import { hasColors, print } from "../output.ts";
import { describeSummary } from "./describe_summary.ts";
import type { Filter } from "./filter.ts";
import { openSources } from "./open_sources.ts";
import { Progress } from "./progress.ts";
import { readSources, type SourceFigures } from "./read_sources.ts";
import type { Source } from "./source.ts";
import { Summary } from "./summary.ts";

/** Rows that a person looks at. */
const ROWS = 24;
/** What a plot or a program can use. */
const SPANS = 500;

export interface SummarizeOptions {
  readonly files: readonly string[];
  readonly filter: Filter | null;
  readonly json: boolean;
}

export async function summarize({ files, filter, json }: SummarizeOptions): Promise<number> {
  const sources = await openSources(files);
  const summary = new Summary(filter);
  const figures = await readAll(sources, summary);
  if (json) await print(`${JSON.stringify(summary.result(figures, { spans: SPANS }))}\n`);
  else await print(`${describeSummary(summary.result(figures, { spans: ROWS }), { colors: hasColors("stdout") })}\n`);
  return tellBroken(figures);
}

async function readAll(sources: readonly Source[], summary: Summary): Promise<SourceFigures[]> {
  using progress = new Progress(sources.reduce<number | null>(
    (sum, { bytes }) => sum === null || bytes === null ? null : sum + bytes,
    0,
  ));
  return await readSources(sources, {
    item: (item) => summary.add(item),
    read: (bytes) => progress.read(bytes),
    // So that Ctrl-C is heard.
    pause: () => new Promise((resolve) => setImmediate(resolve, true)),
  });
}

/** What could be read was read; the exit code tells that it is not all. */
export function tellBroken(figures: readonly SourceFigures[]): number {
  let code: number = ExitCode.done;
  for (const { name, broken } of figures) {
    if (broken === null) continue;
    process.stderr.write(`Cannot read log "${name}" to its end: ${broken}\n`);
    code = ExitCode.usage;
  }
  return code;
}
