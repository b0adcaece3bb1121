/** Single lines of a log, read. */

import type { EventId, PrintedFields, PrintedOf } from "./events.ts";
import { patternsOf, readText } from "./patterns.ts";
import { type LinePrefix, PrefixReader } from "./prefix.ts";

/** What every line that begins with a time stamp has. */
interface ParsedHead extends Omit<LinePrefix, "tag" | "owner"> {
  /** `YYYY-MM-DD HH:MM:SS`, as in the log. */
  readonly timeText: string;
  /** {@link timeText} as local time, in milliseconds since the epoch. */
  readonly time: number;
}

export interface ParsedOf<Id extends EventId> extends ParsedHead, PrintedOf<Id> {
  readonly kind: "event";
  readonly event: Id;
  /** `old`: as installations before the COMMAND CALL tag write it. */
  readonly wording: "new" | "old";
  readonly fields: PrintedFields[Id];
  /** The lines as they were read. */
  readonly raw: readonly string[];
}

/** An event that was read from a log, discriminated by its `event`. In the new wording `formatEvent` prints it again. */
export type ParsedEvent = { [Id in EventId]: ParsedOf<Id> }[EventId];

/** A line that is part of an event of several lines: of a cleanup block, or of a stack where `event` is null. */
export interface ParsedPart extends ParsedHead, Pick<LinePrefix, "tag" | "owner"> {
  readonly kind: "part";
  readonly event: "cleanup.error" | null;
  /** What stands after the last bracket and one space. */
  readonly text: string;
  readonly raw: string;
}

/** A line that is no event's. */
export interface UnreadText {
  readonly kind: "unread";
  readonly raw: string;
}

/** Where a line stands; null where that is not known. */
export interface LinePlace {
  readonly file: string | null;
  /** From 1. */
  readonly line: number | null;
}

/** A line that is no event's, and where it stands. */
export interface UnreadLine extends UnreadText, LinePlace {}

/** What one record of one physical line is, by itself. */
export type ParsedLine = ParsedEvent | ParsedPart | UnreadText;

/** What a whole log is made of. */
export type LogItem = ParsedEvent | UnreadLine;

const RECORD_HEAD = /\[\d{4}-\d\d-\d\d\s+\d\d:\d\d:\d\d\s*\]\s*[A-Z]{4,8}\s*:/y;
const OPEN = 0x5b;

/**
 * What one physical line of a log says by itself: one item for each record on it, in order. Lines of a stack and of a
 * cleanup block come as parts; `LogReader` puts them together.
 */
export function parseLine(text: string): ParsedLine[] {
  const prefixes = new PrefixReader();
  return splitRecords(text).map((record) => readRecord(record, prefixes) ?? { kind: "unread", raw: record });
}

/** The records of one physical line. Text in front of the first time stamp is one of its own. */
export function splitRecords(line: string): string[] {
  const records: string[] = [];
  let rest = line;
  for (let cut = nextRecord(rest); cut !== -1; cut = nextRecord(rest)) {
    const record = rest.slice(0, cut).trimEnd();
    if (record !== "") records.push(record);
    rest = rest.slice(cut);
  }
  records.push(rest);
  return records;
}

/** One record, or null where it does not begin with a time stamp. */
export function readRecord(record: string, prefixes: PrefixReader): ParsedLine | null {
  if (!prefixes.readStamp(record)) return null;
  const prefix = prefixes.readPrefix(record);
  if (prefix === null) return { kind: "unread", raw: record };
  const { level, broker, module, tag, pid, thread, owner } = prefix;
  const { timeText, time } = prefixes;
  const text = record.slice(prefixes.textAt);
  const match = owner === null ? readText(patternsOf(tag), text, level) : null;
  if (match !== null) {
    const wording = match.age ?? (tag === null ? "old" : "new");
    const { event, fields } = match;
    const parsed = {
      kind: "event",
      event,
      fields,
      level,
      timeText,
      time,
      broker,
      module,
      pid,
      thread,
      wording,
      raw: [record],
    };
    // The types of the event's row have read its fields, which TypeScript can't carry into the union over all ids.
    return parsed as unknown as ParsedEvent;
  }
  const event = partOf(prefix);
  if (event === undefined) return { kind: "unread", raw: record };
  return { kind: "part", event, level, timeText, time, broker, module, pid, thread, owner, tag, text, raw: record };
}

/** Where a second record begins on a line, or -1. */
export function nextRecord(line: string): number {
  for (let at = line.indexOf("[2", 2); at !== -1; at = line.indexOf("[2", at + 1)) {
    RECORD_HEAD.lastIndex = at;
    if (!RECORD_HEAD.test(line) || isQuoted(line, at)) continue;
    return line.charCodeAt(at - 1) === OPEN ? at - 1 : at;
  }
  return -1;
}

/** An escaped newline stands in front of what was a line of its own in a message. */
function isQuoted(line: string, at: number): boolean {
  return line.startsWith("\\n", at - 2) || line.startsWith("\\r", at - 2);
}

/** Of which event a line that says nothing by itself can be a part. */
function partOf({ level, tag, broker, owner }: LinePrefix): ParsedPart["event"] | undefined {
  if (level !== "error") return undefined;
  if (tag === "CLEAN AFTER FORK") return owner === null ? undefined : "cleanup.error";
  return tag === "COMMAND CALL" || (tag === null && broker !== null) ? null : undefined;
}
