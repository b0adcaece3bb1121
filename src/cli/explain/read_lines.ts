/**
 * Which events lines are of, in any wording, whole or only their text.
 *
 * @module
 */

import { CleanupGroup } from "../../core/log/group.ts";
import { EVENT_IDS, tagOf } from "../../core/log/lines.ts";
import { LogReader } from "../../core/log/log_reader.ts";
import { ownWordings } from "../../core/log/own_wordings.ts";
import { parseLine } from "../../core/log/parse.ts";
import type { LogItem, ParsedEvent } from "../../core/log/parsed.ts";
import type { EventId } from "../../core/log/record.ts";
import { CALL_WORDINGS, CLEANUP_WORDINGS, readWordings } from "../../core/log/wordings.ts";

/** What a line is of. */
export interface ReadEvent {
  readonly event: EventId;
  /** The event itself, where the lines say all of it. */
  readonly seen: ParsedEvent | null;
  /** Which part of the event the line is, where it is not the whole. */
  readonly part: "stack" | "cleanup block" | "text" | null;
}

/** What each event and each other line of `text` is of; `read` is null for a line that is no event's. */
export function readEvents(text: string): { readonly raw: string; readonly read: ReadEvent | null }[] {
  const reader = new LogReader();
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return [...lines.flatMap((line) => reader.push(line)), ...reader.end()].map((item) => ({
    raw: item.kind === "event" ? item.raw.join("\n") : item.raw,
    read: readItem(item),
  }));
}

function readItem(item: LogItem): ReadEvent | null {
  if (item.kind === "event") return { event: item.event, seen: item, part: null };
  const [line] = parseLine(item.raw);
  if (line?.kind !== "part") return readText(item.raw.trim());
  // Who has the stack stands on other lines: behind it where it was sent, before it where it was thrown.
  return line.event === null
    ? { event: "command.error", seen: null, part: "stack" }
    : { event: line.event, seen: null, part: "cleanup block" };
}

/** A line without what stands in front of its text. */
function readText(text: string): ReadEvent | null {
  if (CleanupGroup.isBlockLine(text)) return { event: "cleanup.error", seen: null, part: "cleanup block" };
  const tags = new Set(EVENT_IDS.map(tagOf));
  // Any text is one of a module's own.
  tags.delete("LOG");
  const wordings = [...CALL_WORDINGS, ...CLEANUP_WORDINGS, ...[...tags].flatMap((tag) => ownWordings(tag, "info"))];
  const read = readWordings(wordings, text);
  return read === null ? null : { event: read.said.event, seen: null, part: "text" };
}
