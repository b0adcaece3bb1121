/** A whole log, read. */

import {
  type LinePlace,
  type LogItem,
  nextRecord,
  type ParsedEvent,
  type ParsedLine,
  type ParsedOf,
  type ParsedPart,
  readRecord,
  splitRecords,
} from "./parse.ts";
import { PrefixReader } from "./prefix.ts";
import { makeTemplate, matchSpaced, matchTemplate } from "./format.ts";

/** Lines that are kept for one event; what comes beyond them is read as lines of no event. */
const MAX_LINES = 200;

const RAISED = makeTemplate("Cleanup of data from module 〖 {owner} 〗 raised error 〖 {message} 〗");
const BLOCK_START = /^\s*On\s+linux\s+system,?\s+the\s+forking/;
const BLOCK_LINE = /^\s*(?:Some\s+memory\s+may\s+have|You\s+can\s+report\s+this\s+message)/;
const BLOCK_STACK = /^\s*ERROR\s+stack\s*:\s?/;
const TRACEBACK = /^\s*Traceback \(most recent call last\)/;
/** What Python writes between the tracebacks of one error. */
const CHAINED = /^\s*(?:During handling of the above exception|The above exception was the direct cause)/;

/** Events of several lines that may be coming at once, from as many processes. */
const MAX_GROUPS = 64;
/** Milliseconds of the log after which no further line of an event is expected. */
const MAX_PAUSE_MS = 5000;
/** Lines without a time stamp that are kept for the record in front of them. */
const MAX_CONTINUED = 200;
/** Items that wait behind an event whose lines are still coming. */
const MAX_WAITING = 1000;

/**
 * Puts the lines of a log together: events of several lines, and every line that is no event's, in the order of their first
 * lines. Lines of many processes may be mixed. Memory does not grow with the log.
 *
 * ```ts
 * const text = "a line\nanother line";
 * const reader = new LogReader();
 * for (const line of text.split("\n")) for (const item of reader.push(line)) console.log(item);
 * for (const item of reader.end()) console.log(item);
 * ```
 */
export class LogReader {
  readonly #prefixes = new PrefixReader();
  readonly #items = new OrderedItems();
  readonly #places = new Map<string, Place>();
  /** The last record, where it is one line: lines without a time stamp may still follow. */
  #held: ParsedEvent | null = null;
  /** The group that the last record belongs to. */
  #current: Group | null = null;
  #time = NaN;
  #file: string | null = null;
  #line: number | null = null;

  /** What comes from now on are the lines of `file`, behind the first `before` ones; null where that is not known. */
  begin(file: string, before: number | null = 0): void {
    this.#file = file;
    this.#line = before;
  }

  /** Takes the next physical line, without its line end, and returns what has ended with it. */
  push(line: string): readonly LogItem[] {
    if (this.#line !== null) this.#line++;
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (nextRecord(text) === -1) this.#take(text);
    else for (const record of splitRecords(text)) this.#take(record);
    return this.#items.take();
  }

  /** Returns what has not ended yet. More lines may follow, for a log that is still being written. */
  end(): readonly LogItem[] {
    this.#release();
    for (const key of [...this.#places.keys()]) this.#close(key);
    return this.#items.take();
  }

  #take(record: string): void {
    const line = readRecord(record, this.#prefixes);
    if (line === null) return this.#continue(record);
    this.#release();
    if (line.kind === "unread") {
      this.#addUnread(line.raw);
      return;
    }
    if (this.#places.size > 0) this.#closeOld(line);
    if (line.kind === "part") this.#part(line);
    else this.#event(line);
  }

  /** A line without a time stamp belongs to the record before it. */
  #continue(raw: string): void {
    const held = this.#held;
    if (this.#current?.add(raw, raw, this.#place)) return;
    if (held === null || held.raw.length > MAX_CONTINUED) {
      this.#addUnread(raw);
    } else if (held.event === "call.error") {
      const message = `${held.fields.message}\n${raw}`;
      this.#held = { ...held, fields: { ...held.fields, message }, raw: [...held.raw, raw] };
    } else {
      this.#held = { ...held, raw: [...held.raw, raw] };
    }
  }

  /** The record before is complete. */
  #release(): void {
    if (this.#held !== null) this.#items.add(this.#held);
    this.#held = null;
    this.#current = null;
  }

  #event(event: ParsedEvent): void {
    if (this.#places.size === 0 && event.event !== "command.error") {
      this.#held = event;
      return;
    }
    const key = keyOf(event, null);
    const place = this.#places.get(key);
    const group = place?.group;
    if (event.event === "call.error" && place !== undefined && group instanceof StackGroup) {
      const closed = group.closeWith(event);
      this.#places.delete(key);
      this.#items.close(place, closed.before);
      this.#held = closed.event;
    } else if (event.event === "command.error") {
      this.#open(key, new StackGroup(event, this.#place), event.time);
    } else {
      if (group !== undefined && group.thread === event.thread) this.#close(key);
      this.#held = event;
    }
  }

  #part(part: ParsedPart): void {
    const key = keyOf(part, part.owner);
    const group = this.#places.get(key)?.group;
    const isStart = part.event === "cleanup.error" && CleanupGroup.isStart(part.text);
    if (group !== undefined && !isStart) {
      this.#current = group;
      group.time = part.time;
      if (!group.add(part.text, part.raw, this.#place)) this.#addUnread(part.raw);
    } else if (part.event === "cleanup.error" && CleanupGroup.isBlockLine(part.text)) {
      this.#open(key, new CleanupGroup(part), part.time);
    } else if (part.event === null && (part.tag !== null || part.text.trimStart().startsWith("Traceback "))) {
      this.#open(key, new StackGroup(part, this.#place), part.time);
    } else {
      this.#addUnread(part.raw);
    }
  }

  #addUnread(raw: string): void {
    this.#items.add({ kind: "unread", raw, ...this.#place });
  }

  get #place(): LinePlace {
    return { file: this.#file, line: this.#line };
  }

  #open(key: string, group: Group, time: number): void {
    this.#close(key);
    const [oldest] = this.#places.keys();
    if (this.#places.size >= MAX_GROUPS && oldest !== undefined) this.#close(oldest);
    const place = { key, group, items: null };
    this.#places.set(key, place);
    this.#items.open(place);
    this.#current = group;
    this.#time = time;
  }

  #close(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#items.close(place, place.group.close());
  }

  /** Closes what no line can belong to any more. */
  #closeOld(line: Exclude<ParsedLine, { kind: "unread" }>): void {
    if (line.event === "cleanup.done" || line.event === "cleanup.start") {
      const prefix = keyOf(line, "");
      for (const key of [...this.#places.keys()]) if (key.startsWith(prefix)) this.#close(key);
    }
    const [oldest] = this.#places.keys();
    if (this.#items.waiting > MAX_WAITING && oldest !== undefined) this.#close(oldest);
    if (line.time === this.#time) return;
    this.#time = line.time;
    for (const [key, { group }] of [...this.#places]) {
      // Also where time goes back: another file, or a clock that was set.
      if (Math.abs(line.time - group.time) > MAX_PAUSE_MS) this.#close(key);
    }
  }
}

/** Lines of one process, and of one module that it cleans. Old lines have no process, but one module. */
function keyOf({ pid, broker, module }: ParsedEvent | ParsedPart, owner: string | null): string {
  const process = pid === null ? `${broker} ${module}` : String(pid);
  return owner === null ? process : `${process} owner ${owner}`;
}

/** The place of an event whose lines are still coming. */
interface Place {
  readonly key: string;
  readonly group: Group;
  /** What the group was, once it is closed. */
  items: readonly LogItem[] | null;
}

const NOTHING: readonly LogItem[] = [];

/** What was read, in the order of first lines: what comes behind an event that is still open waits for it. */
class OrderedItems {
  #ready: LogItem[] = [];
  readonly #waiting: (LogItem | Place)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  add(item: LogItem): void {
    if (this.#waiting.length === 0) this.#ready.push(item);
    else this.#waiting.push(item);
  }

  open(place: Place): void {
    this.#waiting.push(place);
  }

  close(place: Place, items: readonly LogItem[]): void {
    place.items = items;
    let done = 0;
    for (const next of this.#waiting) {
      if (!("items" in next)) this.#ready.push(next);
      else if (next.items !== null) this.#ready.push(...next.items);
      else break;
      done++;
    }
    this.#waiting.splice(0, done);
  }

  /** The items that wait for nothing, once. */
  take(): readonly LogItem[] {
    if (this.#ready.length === 0) return NOTHING;
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}

/** An event of several lines, while they are still coming. */
interface Group {
  /** When its last line was written. */
  time: number;
  readonly thread: string | null;
  /** Takes a line that says nothing by itself; false where it takes no more. */
  add(text: string, raw: string, place: LinePlace): boolean;
  /** What it was. */
  close(): LogItem[];
}

/** `Failed to execute` and the stack behind it, or a stack whose `Failed to send` has not come yet. */
class StackGroup implements Group {
  time: number;
  readonly thread: string | null;
  readonly #event: ParsedOf<"command.error"> | null;
  readonly #stack: string[];
  readonly #raw: string[];
  /** Of the lines of a stack that no event has yet. */
  readonly #places: LinePlace[] = [];
  /** Where a second traceback begins: it belongs to a `Failed to send`, where one follows. */
  #second = -1;

  constructor(first: ParsedOf<"command.error"> | ParsedPart, place: LinePlace) {
    this.time = first.time;
    this.thread = first.thread;
    this.#event = first.kind === "event" ? first : null;
    this.#stack = first.kind === "event" ? [...first.fields.stack] : [];
    this.#raw = first.kind === "event" ? [...first.raw] : [];
    if (first.kind === "part") this.add(first.text, first.raw, place);
    else if (this.#stack.length > 0) this.#stack.length = 1;
  }

  add(text: string, raw: string, place: LinePlace): boolean {
    if (this.#raw.length >= MAX_LINES) return false;
    if (this.#event === null) this.#places.push(place);
    const isAnother = this.#second === -1 && this.#stack.length > 0 && TRACEBACK.test(text);
    if (isAnother && !CHAINED.test(this.#stack.findLast((line) => line.trim() !== "") ?? "")) {
      this.#second = this.#stack.length;
    }
    this.#stack.push(text);
    this.#raw.push(raw);
    return true;
  }

  /** Ends the group at the `Failed to send` of the same process: its stack is the one that no other event has. */
  closeWith(event: ParsedOf<"call.error">): { readonly before: LogItem[]; readonly event: ParsedOf<"call.error"> } {
    const from = this.#event === null ? 0 : this.#second;
    if (from === -1) return { before: this.close(), event };
    const stack = this.#stack.splice(from);
    const raw = this.#raw.splice(this.#raw.length - stack.length);
    const before = this.#event === null ? [] : this.close();
    return { before, event: { ...event, fields: { ...event.fields, stack }, raw: [...raw, ...event.raw] } };
  }

  close(): LogItem[] {
    const event = this.#event;
    if (event === null) {
      return this.#raw.map((raw, index) => ({
        kind: "unread",
        raw,
        ...this.#places[index] ?? { file: null, line: null },
      }));
    }
    const { command, message } = event.fields;
    const named = event.wording === "old" ? messageOf(this.#stack) : message;
    return [{ ...event, fields: { command, message: named, stack: this.#stack }, raw: this.#raw }];
  }
}

/** The block of lines about one module whose data could not be cleaned. */
export class CleanupGroup implements Group {
  time: number;
  readonly thread = null;
  readonly #first: ParsedPart;
  readonly #stack: string[] = [];
  readonly #raw: string[] = [];
  #message = "";
  #isInStack = false;

  /** Whether a line is one of a block's own, which are no stack. */
  static isBlockLine(text: string): boolean {
    return BLOCK_START.test(text) || BLOCK_LINE.test(text) || BLOCK_STACK.test(text) || raised(text) !== null;
  }

  static isStart(text: string): boolean {
    return BLOCK_START.test(text);
  }

  constructor(first: ParsedPart) {
    this.#first = first;
    this.time = first.time;
    this.add(first.text, first.raw);
  }

  add(text: string, raw: string): boolean {
    if (this.#raw.length >= MAX_LINES) return false;
    this.#raw.push(raw);
    if (this.#isInStack) {
      this.#stack.push(text);
    } else if (BLOCK_STACK.test(text)) {
      this.#isInStack = true;
      this.#stack.push(text.replace(BLOCK_STACK, ""));
    } else {
      this.#message = raised(text)?.[1] ?? this.#message;
    }
    return true;
  }

  close(): LogItem[] {
    const { level, timeText, time, broker, module, pid, thread, owner } = this.#first;
    const fields = { owner: owner ?? "", message: this.#message, stack: this.#stack };
    const head = { level, timeText, time, broker, module, pid, thread };
    return [{ kind: "event", event: "cleanup.error", ...head, wording: "new", fields, raw: this.#raw }];
  }
}

function raised(text: string): string[] | null {
  return matchTemplate(RAISED, text) ?? matchSpaced(RAISED, text);
}

/** The message of the error that a stack ends with: `IOError: no data`, or its class where it has none. */
function messageOf(stack: readonly string[]): string {
  const last = stack.findLast((line) => line.trim() !== "")?.trim() ?? "";
  const colon = last.indexOf(": ");
  return colon > 0 && !last.slice(0, colon).includes(" ") ? last.slice(colon + 2) : last;
}
