/** One process: its calls, latencies as bars, and cleanup receipt. */

import type { CleanupStatus, ProcessStatus } from "../../core/wire/status.ts";
import { bold, paint, paintState } from "../colors.ts";
import { columnsOf, fit } from "../columns.ts";
import { mebibytes, milliseconds, shortTime } from "../figures.ts";
import type { Row } from "./state.ts";

const BAR = 30;
/** The width that a latency needs beside its bar. */
const AROUND_BAR = 22;

/** No line is wider than `width`. */
export function processLines({ status }: Row, width: number, colors: boolean): string[] {
  const { name, state, pid, uptimeMs, restarts } = status;
  return [
    bold(name, colors),
    ...items(
      [paintState(state, state, colors), `pid ${pid ?? "-"}`, `up ${shortTime(uptimeMs)}`, `restarts ${restarts}`],
      width,
    ),
    "",
    ...callLines(status, width, colors),
    "",
    ...latencyLines(status, width, colors),
    "",
    ...cleanupLines(status.cleanup, colors),
  ].map((line) => fitted(line, width));
}

function callLines({ calls, memory }: ProcessStatus, width: number, colors: boolean): string[] {
  const { ok, retried, error, timeout, cancelled, late, duplicate, unknown } = calls;
  const outcomes = { ok, retried, error, timeout, cancelled };
  const strays = { late, duplicate, unknown };
  const { privateBytes = null, pssBytes = null, rssBytes = null } = memory ?? {};
  const sizes = { private: mebibytes(privateBytes), PSS: mebibytes(pssBytes), resident: mebibytes(rssBytes) };
  const named = (figures: object) => Object.entries(figures).map(([name, figure]) => `${name} ${figure}`);
  return [
    bold("Calls", colors),
    ...items(named(outcomes), width),
    ...items(["stray answers:", ...named(strays)], width),
    bold("Memory", colors),
    ...items(named(sizes), width),
  ];
}

/** As many on each line as fit. */
function items(texts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const text of texts) {
    const longer = `${lines.at(-1) ?? ""}   ${text}`;
    if (lines.length > 0 && visible(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(`  ${text}`);
  }
  return lines;
}

/** Cut if too wide, and then without colors. */
function fitted(line: string, width: number): string {
  return visible(line) <= width ? line : fit(plain(line), width);
}

function visible(line: string): number {
  return columnsOf(plain(line));
}

function plain(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replaceAll(/\x1b\[[\d;]*m/g, "");
}

function latencyLines({ latencyMs }: ProcessStatus, width: number, colors: boolean): string[] {
  const { p50, p99, histogram } = latencyMs;
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  const bar = Math.max(1, Math.min(BAR, width - AROUND_BAR));
  return [
    `${bold("Latency", colors)}  p50 ${milliseconds(p50)}   p99 ${milliseconds(p99)}`,
    ...histogram.map(({ upToMs, count }) =>
      `  ≤ ${milliseconds(upToMs).padStart(9)} ${"█".repeat(Math.ceil((count / most) * bar)).padEnd(bar)} ${count}`
    ),
  ];
}

function cleanupLines(cleanup: CleanupStatus | null, colors: boolean): string[] {
  if (cleanup === null) return [paint("No cleanup since the last start", "dim", colors)];
  const change = (what: string, from: number | null, to: number | null, show: (value: number | null) => string) =>
    `  ${what.padEnd(15)}${show(from).padStart(11)} to ${show(to).padStart(11)}`;
  const count = (value: number | null) => value === null ? "-" : String(value);
  return [
    `${bold("Clean after fork", colors)}  ${cleanup.ms.toFixed(0)} ms, ${cleanup.released.length} released, ` +
    `${cleanup.errors} errors`,
    change("private memory", cleanup.privateBytesBefore, cleanup.privateBytesAfter, mebibytes),
    change("PSS", cleanup.pssBytesBefore, cleanup.pssBytesAfter, mebibytes),
    change("heap", cleanup.heapBytesBefore, cleanup.heapBytesAfter, mebibytes),
    change("open files", cleanup.openFilesBefore, cleanup.openFilesAfter, count),
    ...cleanup.modules.map(({ name, ms, error }) =>
      error === null ? `  ${name}: ${ms.toFixed(1)} ms` : paint(`  ${name}: ${error}`, "red", colors)
    ),
    ...(cleanup.leftovers ?? []).map(({ kind, count }) => `  left over: ${count} × ${kind}`),
  ];
}
