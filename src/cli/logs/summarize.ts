/**
 * The summary of log files.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import process from "node:process";
import { CliError, ExitCode } from "../cli_error.ts";
import { hasColors, print } from "../output.ts";
import { describeSummary } from "./describe_summary.ts";
import { count, cut } from "./figures.ts";
import type { Filter } from "./filter.ts";
import { type Log, openLogs } from "./open_logs.ts";
import { Progress } from "./progress.ts";
import { readLog, type SourceFigures } from "./read_log.ts";
import { type LogSummary, Summary } from "./summary.ts";
import { messageOf } from "../../core/thrown.ts";

/** Rows that a person looks at. */
const ROWS = 24;
/** What a plot or a program can use. */
const SPANS = 500;
/** How long reading may keep the process from all else. */
const BUSY_MS = 50;

export interface SummarizeOptions {
  readonly files: readonly string[];
  readonly filter: Filter | null;
  readonly json: boolean;
  /** Where a report is written to, too. */
  readonly html: string | undefined;
}

export async function summarize({ files, filter, json, html }: SummarizeOptions): Promise<number> {
  const logs = await openLogs(files);
  const summary = new Summary(filter);
  const figures = await readAll(logs, summary);
  if (json) await print(`${JSON.stringify(summary.result(figures, { spans: SPANS }))}\n`);
  else await print(`${describeSummary(summary.result(figures, { spans: ROWS }), { colors: hasColors("stdout") })}\n`);
  if (html !== undefined) await writeReport(html, summary.result(figures, { spans: SPANS }));
  return tellBroken(figures);
}

async function writeReport(path: string, summary: LogSummary): Promise<void> {
  const { htmlReport } = await import("./html/report.ts");
  const names = summary.files.map(({ name }) => name).join(", ");
  const text = htmlReport(summary, { title: `What happened: ${cut(names, 80)}` });
  try {
    await writeFile(path, text);
  } catch (cause) {
    const why = messageOf(cause);
    throw new CliError(`Cannot write report "${path}": ${why}`, ExitCode.usage, { cause });
  }
  process.stderr.write(`Wrote ${path} (${count(Math.ceil(text.length / 1_000))} kB)\n`);
}

async function readAll(logs: readonly Log[], summary: Summary): Promise<SourceFigures[]> {
  using progress = new Progress(totalBytes(logs));
  const figures: SourceFigures[] = [];
  const events = { read: (bytes: number) => progress.read(bytes), ended: (one: SourceFigures) => figures.push(one) };
  let rested = performance.now();
  for (const log of logs) {
    for await (const items of readLog(log, events)) {
      for (const item of items) summary.add(item);
      if (performance.now() - rested < BUSY_MS) continue;
      // So that Ctrl-C is heard.
      await new Promise((resolve) => setImmediate(resolve));
      rested = performance.now();
    }
  }
  return figures;
}

function totalBytes(logs: readonly Log[]): number | null {
  let sum = 0;
  for (const { bytes } of logs.flatMap(({ sources }) => sources)) {
    if (bytes === null) return null;
    sum += bytes;
  }
  return sum;
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
