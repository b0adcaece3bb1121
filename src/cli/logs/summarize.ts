/** `brokkr logs`: reads log files, and prints a summary or writes a report. */

import { writeFile } from "node:fs/promises";
import { messageOf } from "../../core/user_code.ts";
import type { ArgsOf } from "../commands.ts";
import { CliError } from "../exit_codes.ts";
import { count, cut } from "../figures.ts";
import { hasColors, print } from "../output.ts";
import { ProgressLine } from "../progress_line.ts";
import { describeSummary } from "./describe.ts";
import { makeFilter } from "../log_filter.ts";
import { type Log, openLogs } from "./open_logs.ts";
import { readLog, type SourceFigures, tellBroken } from "./read_log.ts";
import { type LogSummary, Summary } from "./summary.ts";
import process from "node:process";

/** Rows for people. */
const ROWS = 24;
/** Spans for plots and programs. */
const SPANS = 500;
/** How long reading may block the event loop. */
const BUSY_MS = 50;

export async function summarize(args: ArgsOf<"logs">): Promise<number> {
  const { files, json, html } = args;
  const logs = await openLogs(files);
  const summary = new Summary(makeFilter(args));
  const figures = await readAll(logs, summary);
  if (json) await print(`${JSON.stringify(summary.result(figures, { spans: SPANS }))}\n`);
  else await print(`${describeSummary(summary.result(figures, { spans: ROWS }), { colors: hasColors("stdout") })}\n`);
  if (html !== undefined) await writeReport(html, summary.result(figures, { spans: SPANS }));
  return tellBroken(figures);
}

async function writeReport(path: string, summary: LogSummary): Promise<void> {
  const { htmlReport } = await import("./html_report.ts");
  const names = summary.files.map(({ name }) => name).join(", ");
  const text = htmlReport(summary, { title: `What happened: ${cut(names, 80)}` });
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new CliError(`Cannot write report "${path}": ${messageOf(cause)}`, { cause });
  }
  process.stderr.write(`Wrote ${path} (${count(Math.ceil(text.length / 1_000))} kB)\n`);
}

async function readAll(logs: readonly Log[], summary: Summary): Promise<SourceFigures[]> {
  using line = new ProgressLine();
  const figures: SourceFigures[] = [];
  const events = { read: progressOn(line, totalBytes(logs)), ended: (one: SourceFigures) => figures.push(one) };
  let rested = performance.now();
  for (const log of logs) {
    for await (const items of readLog(log, events)) {
      for (const item of items) summary.add(item);
      if (performance.now() - rested < BUSY_MS) continue;
      // Lets signals such as Ctrl-C in.
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

const FIRST_MS = 1_000;
const AGAIN_MS = 200;
const BAR = 30;
/** Counts bytes on `line`, and draws it again when it is time. @param total null if unknown. */
function progressOn(line: ProgressLine, total: number | null): (bytes: number) => void {
  const started = performance.now();
  let [next, read] = [FIRST_MS, 0];
  return (bytes) => {
    read += bytes;
    const elapsed = performance.now() - started;
    if (elapsed < next) return;
    next = elapsed + AGAIN_MS;
    line.show(progressText(read, total, elapsed));
  };
}

export function progressText(read: number, total: number | null, ms: number): string {
  const megabytes = `${count(Math.floor(read / 1_000_000))} MB, ${Math.round(read / 1_000 / ms)} MB/s`;
  if (total === null || total === 0) return megabytes;
  const part = Math.min(1, read / total);
  const done = Math.floor(part * BAR);
  const left = part > 0 ? Math.ceil((ms / part - ms) / 1_000) : 0;
  return `[${"#".repeat(done)}${"-".repeat(BAR - done)}] ${Math.floor(part * 100)} %, ${megabytes}, ${left}s left`;
}
