/** Which events lines are of, in any wording, whole or only their text. */

import type { EventId } from "../../core/log/events.ts";
import { CleanupGroup, LogReader } from "../../core/log/log_reader.ts";
import { type LogItem, type ParsedEvent, parseLine, splitRecords } from "../../core/log/parse.ts";
import { allPatterns, readText } from "../../core/log/patterns.ts";

/** What a line is of. */
export interface ReadEvent {
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
