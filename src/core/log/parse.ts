import { ownWordings } from "./own_wordings.ts";
import type { LinePrefix, ParsedEvent, ParsedLine, ParsedPart } from "./parsed.ts";
import { PrefixReader } from "./prefix.ts";
import { CALL_WORDINGS, CLEANUP_WORDINGS, readWordings, type Wording } from "./wordings.ts";

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
  const read = owner === null ? readWordings(wordingsOf(prefix), text) : null;
  if (read !== null) {
    const wording = read.age ?? (tag === null ? "old" : "new");
    const { event, fields } = read.said;
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
    // `event` and `fields` share their id, which TypeScript carries through a spread only, and that is ten times as slow in Node.
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

function wordingsOf({ tag, level }: LinePrefix): readonly Wording[] {
  if (tag === null || tag === "COMMAND CALL") return CALL_WORDINGS;
  return tag === "CLEAN AFTER FORK" ? CLEANUP_WORDINGS : ownWordings(tag, level);
}

/** Of which event a line that says nothing by itself can be a part. */
function partOf({ level, tag, broker, owner }: LinePrefix): ParsedPart["event"] | undefined {
  if (level !== "error") return undefined;
  if (tag === "CLEAN AFTER FORK") return owner === null ? undefined : "cleanup.error";
  return tag === "COMMAND CALL" || (tag === null && broker !== null) ? null : undefined;
}
