/**
 * Groups of trouble for people, in 80 columns.
 *
 * @module
 */

import { bold } from "../paint.ts";
import { wrap } from "../wrap.ts";
import type { Style } from "./describe_summary.ts";
import { count, cut } from "./figures.ts";
import type { Group } from "./groups.ts";
import type { LogSummary } from "./summary.ts";
import type { StackFacts } from "./trouble_groups.ts";

const WIDTH = 80;
const MAX_FAILURES = 15;
const MAX_STACKS = 8;
/** The innermost lines tell most. */
const MAX_STACK_LINES = 6;

export function describeFailures({ failures, others }: LogSummary, { colors }: Style): string | null {
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

export function describeCrashes(
  title: string,
  groups: readonly Group<StackFacts>[],
  others: number,
  { colors }: Style,
): string | null {
  if (groups.length === 0) return null;
  const shown = groups.slice(0, MAX_STACKS);
  const lines = shown.flatMap((group) => {
    const { facts: { message, stack }, modules, commands } = group;
    const where = [modules.join(", "), commands.join(", ")].filter((names) => names !== "").join(" ");
    const inner = stack.slice(-MAX_STACK_LINES);
    const left = stack.length - inner.length;
    return [
      cut(`${count(group.count)}×  ${message}`, WIDTH),
      ...wrap(`in ${where}`, WIDTH - 4).map((line) => `    ${line}`),
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

/** The end of a frame's line has the place. */
function tail(line: string, length: number): string {
  return line.length > length ? `…${line.slice(1 - length)}` : line;
}
