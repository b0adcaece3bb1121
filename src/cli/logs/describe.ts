/** A summary as text of 80 columns. */

import { count, cut, shortTime, spanText } from "../figures.ts";
import { bold, table, wrap } from "../terminal.ts";
import { type CommandFigures, percentileTexts } from "./counts.ts";
import { type Group, placeOf, type StackFacts } from "./groups.ts";
import type { LogSummary } from "./summary.ts";
import { type Span, TROUBLES } from "./time_line.ts";

/** Limits of rows; the table of modules with their commands has two. */
const MAX_ROWS = 20;
const MAX_MODULES = 10;
const MAX_COMMANDS = 5;

interface Style {
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
      ? ["No event matches"]
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
  return [name, ...[calls, retried, timeouts + errors, crashed].map(count), ...percentileTexts(latencyMs, "-")];
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
    ...percentileTexts(ms, "-"),
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

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const WIDTH = 80;
const MAX_FAILURES = 15;
const MAX_STACKS = 8;
/** The innermost lines say most. */
const MAX_STACK_LINES = 6;

function describeFailures({ failures, others }: LogSummary, { colors }: Style): string | null {
  if (failures.length === 0) return null;
  const shown = failures.slice(0, MAX_FAILURES);
  const width = Math.max(...shown.map((group) => count(group.count).length));
  const lines = shown.flatMap((group) => {
    const { facts, modules, commands } = group;
    const what = `${count(group.count).padStart(width)}×  ${modules.join(", ")} ${commands.join(", ")}: ${facts.cause}`;
    return [cut(what, WIDTH), `${" ".repeat(width + 3)}${when(group)}`];
  });
  return [bold("FAILED CALLS BY CAUSE", colors), ...lines, ...rest(failures.length - shown.length, others.failures)]
    .join("\n");
}

function describeCrashes(
  title: string,
  groups: readonly Group<StackFacts>[],
  others: number,
  { colors }: Style,
): string | null {
  if (groups.length === 0) return null;
  const shown = groups.slice(0, MAX_STACKS);
  const lines = shown.flatMap((group) => {
    const { message, stack } = group.facts;
    const inner = stack.slice(-MAX_STACK_LINES);
    const left = stack.length - inner.length;
    return [
      cut(`${count(group.count)}×  ${message}`, WIDTH),
      ...wrap(`in ${placeOf(group)}`, WIDTH - 4).map((line) => `    ${line}`),
      `    ${when(group)}`,
      ...(left > 0 ? [`      … ${left} more lines`] : []),
      ...inner.map((line) => `      ${tail(line, WIDTH - 6)}`),
    ];
  });
  return [bold(title, colors), ...lines, ...rest(groups.length - shown.length, others)].join("\n");
}

function when({ count, first, last }: Group<unknown>): string {
  return count === 1 || first === last ? first : `${first} to ${last}`;
}

function rest(groups: number, others: number): string[] {
  return [
    ...(groups > 0 ? [`and ${groups} more groups: --json shows them`] : []),
    ...(others > 0 ? [`and ${count(others)} more that are in no group, since there are too many groups`] : []),
  ];
}

/** The end of a frame's line has the position. */
function tail(line: string, length: number): string {
  return line.length > length ? `…${line.slice(1 - length)}` : line;
}

const BAR = 12;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function describeTimeLine({ timeLine }: LogSummary, { colors }: Style): string | null {
  const { widthMs, spans } = timeLine;
  const troubled = spans.filter((span) => sum(span) > 0);
  if (troubled.length === 0) return null;
  const most = Math.max(...troubled.map(sum));
  const headings = ["FROM", ...TROUBLES.map((trouble) => ` ${trouble.toUpperCase()}`), ""];
  const rows = troubled.map((span) => [
    span.from.slice(0, widthMs < 60_000 ? 19 : 16),
    ...TROUBLES.map((trouble) => span[trouble] === 0 ? "." : count(span[trouble])),
    bar(sum(span) / most),
  ]);
  const title = `TROUBLE OVER TIME (a row is ${spanText(widthMs)}; rows without trouble are left out)`;
  return [bold(title, colors), fitted(headings, rows, colors)].join("\n");
}

function sum(span: Span): number {
  return TROUBLES.reduce((sum, trouble) => sum + span[trouble], 0);
}

function bar(part: number): string {
  const eighths = Math.max(1, Math.round(part * BAR * 8));
  return "█".repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? "");
}

const LEAST_NAME = 12;
const GAP = 2;

/** A table of at most 80 columns: long names in the first column are cut. */
function fitted(headings: readonly string[], rows: readonly (readonly string[])[], colors: boolean): string {
  const widths = headings.slice(1).map((heading, index) =>
    GAP + Math.max(heading.trim().length, ...rows.map((row) => row[index + 1]?.length ?? 0))
  );
  const left = Math.max(LEAST_NAME, WIDTH - widths.reduce((sum, width) => sum + width, 0));
  return table(headings, rows.map(([name = "", ...cells]) => [cut(name, left), ...cells]), { colors }).join("\n");
}
