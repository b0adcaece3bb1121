/**
 * Events of several lines, put together.
 *
 * @module
 */

import type { LinePlace, LogItem, ParsedOf, ParsedPart } from "./parse.ts";
import { makeTemplate, matchSpaced, matchTemplate } from "./template.ts";

/** Lines that are kept for one event; what comes beyond them is read as lines of no event. */
const MAX_LINES = 200;

const RAISED = makeTemplate("Cleanup of data from module 〖 {owner} 〗 raised error 〖 {message} 〗");
const BLOCK_START = /^\s*On\s+linux\s+system,?\s+the\s+forking/;
const BLOCK_LINE = /^\s*(?:Some\s+memory\s+may\s+have|You\s+can\s+report\s+this\s+message)/;
const BLOCK_STACK = /^\s*ERROR\s+stack\s*:\s?/;
const TRACEBACK = /^\s*Traceback \(most recent call last\)/;
/** What Python writes between the tracebacks of one error. */
const CHAINED = /^\s*(?:During handling of the above exception|The above exception was the direct cause)/;

/** An event of several lines, while they are still coming. */
export interface Group {
  /** When its last line was written. */
  time: number;
  readonly thread: string | null;
  /** Takes a line that says nothing by itself; false where it takes no more. */
  add(text: string, raw: string, place: LinePlace): boolean;
  /** What it was. */
  close(): LogItem[];
}

/** `Failed to execute` and the stack behind it, or a stack whose `Failed to send` has not come yet. */
export class StackGroup implements Group {
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
