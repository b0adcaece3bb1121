/**
 * The tables of the report: all that the plots show, and more.
 *
 * @module
 */

import { count, shortMs } from "../figures.ts";
import type { Percentiles } from "../latency.ts";
import type { LogSummary } from "../summary.ts";
import { type TimeLineFigures, TROUBLES } from "../time_line.ts";
import { htmlTable } from "./element.ts";

const PERCENTILES = ["p50", "p90", "p99", "max"];

export function levelsTable({ levels, byEvent }: LogSummary): string | null {
  const rows = [
    ...Object.entries(levels).reverse().map(([level, times]) => [level.toUpperCase(), times] as const),
    ...Object.entries(byEvent).sort(([, a], [, b]) => b - a),
  ];
  return htmlTable(
    "Events by level, and by what they are",
    ["event", "count"],
    rows.map(([name, n]) => [name, count(n)]),
  );
}

export function callsTable({ commands }: LogSummary): string | null {
  const headings = [
    "module",
    "command",
    "calls",
    "retried",
    "timed out",
    "failed",
    "crashed",
    "unknown",
    ...PERCENTILES,
  ];
  const rows = commands.map((one) => [
    one.module,
    one.command,
    ...[one.calls, one.retried, one.timeouts, one.errors, one.crashed, one.unknown].map(count),
    ...percentiles(one.latencyMs),
  ]);
  return htmlTable("Calls by module and command", headings, rows, { names: 2 });
}

export function failuresTable({ failures }: LogSummary): string | null {
  const rows = failures.map(({ facts, count: times, modules, commands, first, last }) => [
    facts.cause,
    modules.join(", "),
    commands.join(", "),
    first,
    last,
    count(times),
  ]);
  return htmlTable("Failed calls", ["cause", "module", "command", "first", "last", "count"], rows, { names: 5 });
}

export function cleanupsTable({ modules }: LogSummary): string | null {
  const cleaned = modules.filter(({ cleanups }) => cleanups.count + cleanups.errors > 0);
  const rows = cleaned.map(({ name, cleanups }) => [
    name,
    count(cleanups.count),
    count(cleanups.errors),
    ...percentiles(cleanups.ms),
  ]);
  return htmlTable("Cleanups by module", ["module", "cleanups", "errors", ...PERCENTILES], rows);
}

export function processesTable({ modules }: LogSummary): string | null {
  const started = modules.filter(({ processes: { starts, ended, failed } }) => starts + ended + failed > 0);
  const rows = started.map((
    { name, processes: { starts, ended, failed } },
  ) => [name, ...[starts, ended, failed].map(count)]);
  return htmlTable("Processes", ["process", "starts", "ended unexpectedly", "given up"], rows);
}

export function timeLineTable({ spans }: TimeLineFigures): string {
  const rows = spans.map((span) => [
    span.from,
    ...TROUBLES.map((trouble) => count(span[trouble])),
    count(span.answered),
    ...percentiles(span.latencyMs),
  ]);
  return htmlTable("Trouble, calls and latency over time", ["from", ...TROUBLES, "answered", ...PERCENTILES], rows) ??
    "";
}

function percentiles(ms: Percentiles | null): string[] {
  return ms === null ? ["–", "–", "–", "–"] : [ms.p50, ms.p90, ms.p99, ms.max].map(shortMs);
}
