/** An event with its explanation, for programs and for people. */

import type { ParsedEvent } from "../../core/log/parse.ts";
import { type EventId, EVENTS, type Explanation } from "../../core/log/events.ts";
import type { LogLevel } from "../../core/log/prefix.ts";
import { wrap } from "../columns.ts";
import { bold, paintLine } from "../colors.ts";
import type { ReadEvent } from "./read_lines.ts";

export interface Explained extends Explanation {
  readonly event: EventId;
  /** The most serious one that the event has. */
  readonly level: LogLevel;
  readonly tag: string;
  /** How many events of this kind were read; 0 where the event was asked for by its id. */
  readonly count: number;
  /** What the first of them says; null where no line said all of it. */
  readonly first: Seen | null;
  /** What a line is a part of, where it was not the whole event. */
  readonly part: ReadEvent["part"];
}

export interface Seen extends Pick<ParsedEvent, "broker" | "module" | "pid" | "thread" | "wording" | "fields"> {
  /** `YYYY-MM-DD HH:MM:SS`, local time. */
  readonly time: string;
}

export function explainedOf(event: EventId, read: readonly ReadEvent[]): Explained {
  const seen = read.find((one) => one.seen !== null)?.seen ?? null;
  const { tag, level, what, why, check, did } = EVENTS[event];
  return {
    event,
    level: seen?.level ?? level,
    tag,
    count: read.length,
    what,
    why,
    check,
    did,
    part: seen === null ? read[0]?.part ?? null : null,
    first: seen === null ? null : seenOf(seen),
  };
}

function seenOf({ timeText, broker, module, pid, thread, wording, fields }: ParsedEvent): Seen {
  return { time: timeText, broker, module, pid, thread, wording, fields };
}

const PARTS: Readonly<Record<NonNullable<ReadEvent["part"]>, string>> = {
  "stack": "A line of a stack. It belongs to the command.error before it, or to the call.error behind it.",
  "cleanup block": "One line of a block. All lines of the block are one event.",
  "text": "Read from the text alone, without what stands in front of it.",
};

const LABEL_WIDTH = 15;

/** For people. */
export function describeExplained(explained: Explained, { width, colors }: { width: number; colors: boolean }): string {
  const { event, level, tag, count, what, why, check, did, first, part } = explained;
  const times = count > 1 ? `, ${count} of them` : "";
  const title = `${bold(event, colors)}  ${paintLine(level.toUpperCase(), level, colors)}, [ ${tag} ]${times}`;
  const rows: [label: string, text: string][] = [
    ...(part === null ? [] : [["Line", PARTS[part]] satisfies [string, string]]),
    ["What happened", what],
    ["Why", why],
    ...check.map((text, index): [string, string] => [index === 0 ? "Check" : "", `- ${text}`]),
    ["brokkr did", did],
    ...(first === null ? [] : [[count > 1 ? "The first" : "Read", seenText(event, first)] satisfies [string, string]]),
  ];
  return [title, ...rows.flatMap(([label, text]) => row(label, text, width))].join("\n");
}

function row(label: string, text: string, width: number): string[] {
  const hang = text.startsWith("- ") ? "  " : "";
  return wrap(text, width - LABEL_WIDTH - 2 - hang.length).map((line, index) =>
    `  ${(index === 0 ? label : "").padEnd(LABEL_WIDTH)}${index === 0 ? "" : hang}${line}`
  );
}

function seenText(event: EventId, { time, module, pid, wording, fields }: Seen): string {
  // The text of a line may have its facts in another order than the event.
  const order = Object.keys(EVENTS[event].fields);
  const sorted = Object.entries(fields).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const facts = sorted.map(([name, value]) => `${name} ${factText(value)}`);
  const process = pid === null ? [] : [`pid ${pid}`];
  const age = wording === "old" ? ["in the wording of older installations"] : [];
  return [time, `module ${module}`, ...process, ...facts, ...age].join(", ");
}

function factText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : `of ${value.length} lines`;
  return typeof value === "string" ? value : JSON.stringify(value);
}
