/** `brokkr explain`: which events lines are of, in any wording, whole or only their text, and what each means and what to do. */

import process from "node:process";
import { text } from "node:stream/consumers";
import { EVENT_IDS, type EventId, EVENTS, type Explanation, isEventId } from "../core/log/events.ts";
import { closestMatch } from "../core/checks.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";
import { hasColors, print } from "./output.ts";
import { type LogItem, type ParsedEvent, parseLine, splitRecords } from "../core/log/parse.ts";
import type { LogLevel } from "../core/log/prefix.ts";
import { bold, paintLine, wrap } from "./terminal.ts";
import { CleanupGroup, LogReader } from "../core/log/log_reader.ts";
import { allPatterns, readText } from "../core/log/patterns.ts";

export async function explainLine(_: Runtime, { words, json }: ArgsOf<"explain">): Promise<void> {
  const { explained, unread } = await read(words.join(" "));
  if (json) {
    await print(`${JSON.stringify({ explained, unread })}\n`);
  } else {
    const width = Math.min(process.stdout.columns || 80, 100);
    const style = { width, colors: hasColors("stdout") };
    await print(explained.map((one) => `${describeExplained(one, style)}\n`).join("\n"));
    if (unread.length > 0) process.stderr.write(`${unread.length} of the lines are no event's; --json shows them\n`);
  }
}

interface Read {
  /** Each event once, in the order of their first lines. */
  readonly explained: readonly Explained[];
  readonly unread: readonly string[];
}

async function read(asked: string): Promise<Read> {
  if (isEventId(asked)) return { explained: [explainedOf(asked, [])], unread: [] };
  const input = asked === "-" ? await text(process.stdin) : asked;
  const found = readEvents(input);
  const events = new Set(found.flatMap(({ read }) => read === null ? [] : [read.event]));
  const explained = [...events].map((event) =>
    explainedOf(event, found.flatMap(({ read }) => read?.event === event ? [read] : []))
  );
  const unread = found.flatMap(({ raw, read }) => read === null ? [raw] : []);
  if (explained.length > 0) return { explained, unread };
  throw new CliError(notFound(asked === "-" ? null : asked));
}

function notFound(asked: string | null): string {
  if (asked === null) {
    return "Cannot explain standard input: it has no line of an event; see the lines in docs/log-lines.md";
  }
  const near = /\s/.test(asked)
    ? null
    : closestMatch(asked, EVENT_IDS) ?? EVENT_IDS.find((id) => id.endsWith(`.${asked}`));
  const remedy = near ? `did you mean "${near}"?` : `the events are ${EVENT_IDS.join(", ")}`;
  return `Cannot explain "${asked}": it is neither an event nor a line of one; ${remedy}`;
}

interface Explained extends Explanation {
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

interface Seen extends Pick<ParsedEvent, "broker" | "module" | "pid" | "thread" | "wording" | "fields"> {
  /** `YYYY-MM-DD HH:MM:SS`, local time. */
  readonly time: string;
}

function explainedOf(event: EventId, read: readonly ReadEvent[]): Explained {
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
  "text": "Read from the text alone, without its prefix.",
};

const LABEL_WIDTH = 15;

/** For people. */
function describeExplained(explained: Explained, { width, colors }: { width: number; colors: boolean }): string {
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

/** What a line is of. */
interface ReadEvent {
  readonly event: EventId;
  /** The event itself, where the lines say all of it. */
  readonly seen: ParsedEvent | null;
  /** Which part of the event the line is, where it is not the whole. */
  readonly part: "stack" | "cleanup block" | "text" | null;
}

interface ReadLine {
  readonly raw: string;
  readonly read: ReadEvent | null;
}

/** Where a text begins that brokkr writes behind the brackets; several may stand on one line. */
const TEXT_START =
  /(?=\b(?:The command call \[|Failed to (?:send|execute) |Fail to send |Received unknown command|Executing command \[|Our father process |cleanup (?:is starting|done in )))/;

/** What each event and each other line of `text` is of; `read` is null for a line that is no event's. */
export function readEvents(text: string): ReadLine[] {
  const reader = new LogReader();
  const records = text.split("\n").flatMap(splitRecords).map(withoutTable).filter((line) => line.trim() !== "");
  return [...records.flatMap((line) => reader.push(line)), ...reader.end()].flatMap(readItem);
}

/** A line as it was copied from a row of a table has its bars. */
function withoutTable(line: string): string {
  return line.replace(/^\s*\|\s?/, "").replace(/\|\s*$/, "").trimEnd();
}

function readItem(item: LogItem): ReadLine[] {
  if (item.kind === "event") return [{ raw: item.raw.join("\n"), read: { event: item.event, seen: item, part: null } }];
  const { raw } = item;
  const [line] = parseLine(raw);
  if (line?.kind !== "part") return readTexts(raw);
  if (line.event !== null) return [{ raw, read: { event: line.event, seen: null, part: "cleanup block" } }];
  // A text of brokkr's that can't be read is no part of a stack, though its line might be.
  if (line.text.search(TEXT_START) === 0) return [{ raw, read: null }];
  // Who has the stack stands on other lines: behind it where it was sent, before it where it was thrown.
  return [{ raw, read: { event: "command.error", seen: null, part: "stack" } }];
}

function readTexts(raw: string): ReadLine[] {
  const texts = raw.split(TEXT_START).map((text) => withoutTable(text).trim()).filter((text) => text !== "");
  const lines = texts.map((text) => ({ raw: text, read: readBareText(text) }));
  // One of them may only be quoted by the message of another.
  if (lines.length > 1 && lines.every(({ read }) => read !== null)) return lines;
  return [{ raw, read: readBareText(raw.trim()) }];
}

/** A line without what stands in front of its text. */
function readBareText(text: string): ReadEvent | null {
  if (CleanupGroup.isBlockLine(text)) return { event: "cleanup.error", seen: null, part: "cleanup block" };
  const match = readText(allPatterns(), text, "info");
  return match === null ? null : { event: match.event, seen: null, part: "text" };
}
