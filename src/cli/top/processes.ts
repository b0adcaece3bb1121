/** The processes: all of them as a table with as many columns as fit, and one with its calls, latencies as bars, and cleanup receipt. */

import { bold, columnsOf, fit, paint, paintState } from "../terminal.ts";
import { mebibytes, milliseconds, shortTime } from "../figures.ts";
import { memoryOf } from "../status_rows.ts";
import type { Row } from "./state.ts";
import type { CleanupStatus, ProcessStatus } from "../../core/wire/status.ts";

interface Column {
  readonly title: string;
  readonly width: number;
  /** Columns with the highest number are left out first on a narrow screen. */
  readonly dispensable: number;
  readonly text: (row: Row) => string;
}

const NAME_WIDTH = 14;
const LEAST_NAME = 6;
const STATE_WIDTH = 8;

const COLUMNS: readonly Column[] = [
  { title: "PID", width: 7, dispensable: 4, text: ({ status }) => String(status.pid ?? "-") },
  { title: "RST", width: 3, dispensable: 1, text: ({ status }) => String(status.restarts) },
  { title: "UP", width: 7, dispensable: 5, text: ({ status }) => upTime(status) },
  { title: "MEMORY", width: 10, dispensable: 0, text: ({ status }) => mebibytes(memoryOf(status)) },
  { title: "CALLS/S", width: 7, dispensable: 0, text: (row) => rate(row.callsPerSecond) },
  { title: "ERR", width: 4, dispensable: 2, text: ({ status }) => short(status.calls.error) },
  { title: "TMO", width: 4, dispensable: 2, text: ({ status }) => short(status.calls.timeout) },
  { title: "P50", width: 8, dispensable: 3, text: ({ status }) => milliseconds(status.latencyMs.p50) },
  { title: "P99", width: 8, dispensable: 0, text: ({ status }) => milliseconds(status.latencyMs.p99) },
];

export function headLine(width: number, colors: boolean): string {
  const { columns, name } = layout(width);
  const cells = columns.map(({ title, width }) => title.padStart(width));
  return bold(fit(["  " + fit("NAME", name), fit("STATE", STATE_WIDTH), ...cells].join(" "), width), colors);
}

export function rowLine(row: Row, options: { width: number; isSelected: boolean; colors: boolean }): string {
  const { width, isSelected, colors } = options;
  const { columns, name } = layout(width);
  const { status, module, isBad } = row;
  const head = `${isBad ? "!" : " "} ${fit(module === null ? status.name : `  ${status.name}`, name)} `;
  const state = fit(status.blocked ? "blocked" : status.state, STATE_WIDTH);
  const tail = columns.map((column) => fit(column.text(row), column.width).trim().padStart(column.width)).join(" ");
  // Inverse, so that it works without colors too.
  if (isSelected) return `\x1b[7m${fit(`${head}${state} ${tail}`, width)}\x1b[27m`;
  return `${isBad ? paint(head, "red", colors) : head}${
    paintState(state, status.blocked ? "failed" : status.state, colors)
  } ${tail}`;
}

/** The columns that fit, and the width left for the names. */
function layout(width: number): { columns: readonly Column[]; name: number } {
  let columns = [...COLUMNS];
  const used = () => 4 + STATE_WIDTH + columns.reduce((sum, column) => sum + column.width + 1, 0);
  while (width - used() < NAME_WIDTH) {
    const most = Math.max(...columns.map(({ dispensable }) => dispensable));
    if (most === 0) break;
    columns = columns.filter(({ dispensable }) => dispensable < most);
  }
  while (width - used() < LEAST_NAME && columns.length > 0) columns = columns.slice(1);
  return { columns, name: Math.max(1, Math.min(40, width - used())) };
}

function upTime({ state, uptimeMs, nextRestartMs }: Row["status"]): string {
  if (state === "ready") return shortTime(uptimeMs);
  return nextRestartMs === null ? "-" : `in ${Math.ceil(nextRestartMs / 1_000)}s`;
}

function rate(perSecond: number): string {
  return perSecond >= 100 || perSecond === 0 ? short(Math.round(perSecond)) : perSecond.toFixed(1);
}

function short(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)}M`;
  return count >= 10_000 ? `${Math.round(count / 1_000)}k` : String(count);
}

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
