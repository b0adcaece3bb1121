/**
 * A summary for people, in 80 columns.
 *
 * @module
 */

import { bold } from "../paint.ts";
import { shortTime } from "../status_table.ts";
import type { CommandFigures } from "./command_counts.ts";
import { describeCrashes, describeFailures } from "./describe_groups.ts";
import { describeTimeLine } from "./describe_time_line.ts";
import { count, shortMs } from "./figures.ts";
import { fitted } from "./fitted_table.ts";
import type { Percentiles } from "./latency.ts";
import type { LogSummary } from "./summary.ts";

/** Rows of a table; for modules with their commands there are two limits. */
const MAX_ROWS = 20;
const MAX_MODULES = 10;
const MAX_COMMANDS = 5;

export interface Style {
  readonly colors: boolean;
}

export function describeSummary(summary: LogSummary, style: Style): string {
  const parts = [
    head(summary),
    calls(summary, style),
    describeFailures(summary, style),
    describeCrashes("CRASHES", summary.crashes, summary.others.crashes, style),
    cleanups(summary, style),
    describeCrashes("CLEANUPS THAT FAILED", summary.cleanupErrors, summary.others.cleanupErrors, style),
    processes(summary, style),
    describeTimeLine(summary, style),
  ];
  return parts.filter((part) => part !== null).join("\n\n");
}

function head(
  { files, lines, events, filtered, unread, levels, first, last, lengthMs, ambiguous }: LogSummary,
): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const name = files.length === 1 ? files[0]?.name ?? "" : `${files.length} files`;
  const left = filtered === 0 ? "" : ` of ${count(events + filtered)}`;
  const notRead = unread === 0 ? "" : `, ${count(unread)} ${unread === 1 ? "line" : "lines"} not read (see --unread)`;
  const serious = (["warning", "error", "fatal"] as const)
    .flatMap((level) => levels[level] === 0 ? [] : [`${count(levels[level])} ${level.toUpperCase()}`]);
  return [
    `${name}: ${size(bytes)}, ${count(lines)} lines, ${count(events)}${left} events${notRead}`,
    ...(first === null || last === null
      ? ["No event fits"]
      : [`${first} to ${last}${lengthMs === 0 ? "" : ` (${shortTime(lengthMs)})`}`]),
    ...(ambiguous === 0 ? [] : [
      `${count(ambiguous)} ${
        ambiguous === 1 ? "event is" : "events are"
      } of a time that the clock showed twice: the order of the lines decides`,
    ]),
    ...(serious.length > 0 || first === null ? [serious.join(", ")] : ["No warnings and no errors"]),
  ].filter((line) => line !== "").join("\n");
}

function calls({ commands, modules }: LogSummary, { colors }: Style): string | null {
  const called = modules.filter((module) => commands.some((one) => one.module === module.name));
  if (called.length === 0) return null;
  const shown = called.slice(0, MAX_MODULES);
  const rows = shown.flatMap((module) => [
    row(module.name, module),
    ...commands.filter((one) => one.module === module.name).slice(0, MAX_COMMANDS)
      .map((one) => row(`  ${one.command}`, one)),
  ]);
  const more = called.length + commands.length - rows.length;
  const rest = more === 0 ? [] : [`and ${more} more rows: --json has all`];
  const headings = ["MODULE, COMMAND", " CALLS", " RETRY", " FAIL", " CRASH", " P50", " P90", " P99", " MAX"];
  return [bold("CALLS", colors), fitted(headings, rows, colors), ...rest].join("\n");
}

function row(name: string, figures: CommandFigures): string[] {
  const { calls, retried, timeouts, errors, crashed, latencyMs } = figures;
  return [name, ...[calls, retried, timeouts + errors, crashed].map(count), ...percentiles(latencyMs)];
}

function cleanups({ modules }: LogSummary, { colors }: Style): string | null {
  const cleaned = modules.filter(({ cleanups }) => cleanups.count + cleanups.errors > 0);
  if (cleaned.length === 0) return null;
  const headings = ["MODULE", " CLEANUPS", " ERRORS", " P50", " P90", " P99", " MAX"];
  const slowest = cleaned
    .toSorted((a, b) => b.cleanups.errors - a.cleanups.errors || (b.cleanups.ms?.max ?? 0) - (a.cleanups.ms?.max ?? 0));
  const rows = slowest.slice(0, MAX_ROWS).map(({ name, cleanups: { count: times, errors, ms } }) => [
    name,
    count(times),
    count(errors),
    ...percentiles(ms),
  ]);
  return [bold("CLEANUPS", colors), fitted(headings, rows, colors)].join("\n");
}

function processes({ modules }: LogSummary, { colors }: Style): string | null {
  const troubled = modules.filter(({ processes: { ended, failed } }) => ended + failed > 0);
  if (troubled.length === 0) return null;
  const headings = ["PROCESS", " STARTS", " ENDED UNEXPECTEDLY", " GIVEN UP"];
  const rows = troubled.toSorted((a, b) => b.processes.ended - a.processes.ended).slice(0, MAX_ROWS)
    .map((
      { name, processes: { starts, ended, failed } },
    ) => [name, count(starts), count(ended), count(failed)]);
  return [bold("PROCESSES", colors), fitted(headings, rows, colors)].join("\n");
}

function percentiles(ms: Percentiles | null): string[] {
  return ms === null ? ["-", "-", "-", "-"] : [ms.p50, ms.p90, ms.p99, ms.max].map(shortMs);
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
