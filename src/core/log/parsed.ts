import type { LineTag } from "./lines.ts";
import type { PrintedFields, PrintedOf } from "./printed.ts";
import type { EventId, LogLevel } from "./record.ts";

/** What stands in front of the text of a line. */
export interface LinePrefix {
  readonly level: LogLevel;
  /** Null where the line names only a module. */
  readonly broker: string | null;
  readonly module: string;
  /** Null in the old wording. */
  readonly tag: LineTag | null;
  readonly pid: number | null;
  readonly thread: string | null;
  /** The module whose data could not be cleaned. */
  readonly owner: string | null;
}

/** What every line that begins with a time stamp has. */
export interface ParsedHead {
  readonly level: LogLevel;
  /** `YYYY-MM-DD HH:MM:SS`, as in the log. */
  readonly timeText: string;
  /** {@link timeText} as local time, in milliseconds since the epoch. */
  readonly time: number;
  /** Null where the line names only a module. */
  readonly broker: string | null;
  readonly module: string;
  readonly pid: number | null;
  readonly thread: string | null;
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
export interface ParsedPart extends ParsedHead {
  readonly kind: "part";
  readonly event: "cleanup.error" | null;
  /** The module whose data could not be cleaned. */
  readonly owner: string | null;
  readonly tag: LineTag | null;
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
