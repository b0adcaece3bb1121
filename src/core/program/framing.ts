/**
 * How JSON-RPC messages stand in a stream of bytes: one a line, as MCP servers speak, or each after a header that gives its length,
 * as language servers speak.
 */

import type { Framing } from "../settings/settings.ts";

/** Bytes of one message; a longer one is left out, and never gathered. */
const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;

export interface FramingEvents {
  message(text: string): void;
  /** A line that stands where a message should: a program printed it. */
  stray(line: string): void;
  dropped(what: string): void;
}

/** Reads one direction of a stream, in chunks of any size. */
export interface MessageReader {
  /** @throws {FramingError} when the messages can't be separated any more. */
  push(chunk: Uint8Array): void;
  /** The stream has ended: what is not complete is reported. */
  end(): void;
}

export function newReader(framing: Framing, events: FramingEvents, limit = MESSAGE_LIMIT_BYTES): MessageReader {
  return framing === "newline" ? new NewlineReader(events, limit) : new ContentLengthReader(events, limit);
}

/** The bytes of one message. `text` is JSON without line breaks, as `JSON.stringify` writes it. */
export function frameMessage(framing: Framing, text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (framing === "newline") return encoder.encode(`${text}\n`);
  const body = encoder.encode(text);
  const header = encoder.encode(`Content-Length: ${body.length}\r\n\r\n`);
  const whole = new Uint8Array(header.length + body.length);
  whole.set(header);
  whole.set(body, header.length);
  return whole;
}

class NewlineReader implements MessageReader {
  readonly #events: FramingEvents;
  readonly #limit: number;
  readonly #lines: LineSplitter;

  constructor(events: FramingEvents, limit: number) {
    this.#events = events;
    this.#limit = limit;
    this.#lines = new LineSplitter(limit);
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const { at, line } = this.#lines.next(chunk, from);
      if (line !== undefined) this.#take(line);
      from = at;
    }
  }

  end(): void {
    this.#take(this.#lines.rest());
  }

  #take(line: string | number): void {
    if (typeof line === "number") this.#events.dropped(tooLong(line, this.#limit));
    else if (line.trim() !== "") this.#events.message(line);
  }
}

/** A line between messages that is longer is not a header. */
const LINE_LIMIT_BYTES = 64 * 1024;
/** A message over the limit is skipped; one that is this many times over it would never end. */
const SKIPPED_LIMITS = 64;
/** What a program prints without a line end stands before the header, in its line. */
const LENGTH = /^(.*?)content-length:[ \t]*(\d+)[ \t]*$/i;
const OTHER_HEADER = /^content-type:/i;

/**
 * Messages that stand after a header each, as the Language Server Protocol has them:
 *
 *     Content-Length: 123\r\n
 *     \r\n
 *     { … 123 bytes … }
 *
 * A program may print between its messages: lines that are no header are handed on as such, and the next header is found again.
 */
class ContentLengthReader implements MessageReader {
  readonly #events: FramingEvents;
  readonly #limit: number;
  readonly #lines = new LineSplitter(LINE_LIMIT_BYTES);
  readonly #body: Gathered;
  /** Of the header that is being read. */
  #length: number | undefined;
  /** Bytes of the body that are still to come; undefined between bodies. */
  #missing: number | undefined;

  constructor(events: FramingEvents, limit: number) {
    this.#events = events;
    this.#limit = limit;
    this.#body = new Gathered(limit);
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#missing === undefined ? this.#readLine(chunk, at) : this.#readBody(chunk, at);
  }

  end(): void {
    if (this.#missing !== undefined) {
      this.#events.dropped(`message without its last ${this.#missing} bytes`);
      return;
    }
    const rest = this.#lines.rest();
    if (rest !== "") this.#readHeader(rest);
    if (this.#length !== undefined) this.#events.dropped(`message without its ${this.#length} bytes`);
  }

  #readLine(chunk: Uint8Array, from: number): number {
    const { at, line } = this.#lines.next(chunk, from);
    if (line !== undefined) this.#readHeader(line);
    return at;
  }

  #readHeader(line: string | number): void {
    if (typeof line === "number") {
      return this.#events.dropped(`line of ${line} bytes (the limit is ${LINE_LIMIT_BYTES})`);
    }
    if (line === "") return this.#beginBody();
    const [, printed, length] = LENGTH.exec(line) ?? [];
    if (length !== undefined) {
      if (printed !== undefined && printed !== "") this.#events.stray(printed);
      this.#length = Number(length);
      if (this.#length > this.#limit * SKIPPED_LIMITS) {
        throw new FramingError(`its output has a message of ${length} bytes`);
      }
    } else if (!OTHER_HEADER.test(line)) this.#events.stray(line);
  }

  #beginBody(): void {
    if (this.#length === undefined) return;
    this.#missing = this.#length;
    this.#length = undefined;
    if (this.#missing === 0) this.#missing = undefined;
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const missing = this.#missing ?? 0;
    const part = chunk.subarray(at, at + missing);
    this.#body.add(part);
    this.#missing = missing - part.length;
    if (this.#missing === 0) {
      this.#missing = undefined;
      this.#endBody();
    }
    return at + part.length;
  }

  #endBody(): void {
    const { isOver, bytes } = this.#body;
    const body = this.#body.take();
    if (isOver) this.#events.dropped(tooLong(bytes, this.#limit));
    else this.#events.message(new TextDecoder().decode(body));
  }
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The lines of a stream that comes in chunks, without their ends. */
class LineSplitter {
  readonly #limit: number;
  readonly #gathered: Gathered;
  readonly #decoder = new TextDecoder();

  /** @param limit bytes of a line; of a longer one only the length is known. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#gathered = new Gathered(limit);
  }

  /**
   * Takes one line from `chunk`, where it begins or goes on at `from`.
   *
   * @returns where the chunk goes on, and the line where it is complete: its text, or the length of one over the limit.
   */
  next(chunk: Uint8Array, from: number): { readonly at: number; readonly line?: string | number } {
    const newline = chunk.indexOf(NEWLINE, from);
    // Most lines lie within one chunk, and need no memory of their own.
    if (newline !== -1 && this.#gathered.bytes === 0) {
      return { at: newline + 1, line: this.#read(chunk.subarray(from, newline)) };
    }
    this.#gathered.add(chunk.subarray(from, newline === -1 ? chunk.length : newline));
    return newline === -1 ? { at: chunk.length } : { at: newline + 1, line: this.rest() };
  }

  /** What has come of a line that has no end yet. */
  rest(): string | number {
    const { bytes, isOver } = this.#gathered;
    const line = this.#gathered.take();
    return isOver ? bytes : this.#read(line);
  }

  #read(line: Uint8Array): string | number {
    if (line.length > this.#limit) return line.length;
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    return this.#decoder.decode(line.subarray(0, end));
  }
}

const FIRST_BYTES = 4096;

/** Bytes of one thing that comes in chunks, in memory that grows with them and never over a limit. */
class Gathered {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #kept = 0;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** All that came, what was over the limit included. */
  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes > this.#limit;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.isOver) {
      this.#buffer = new Uint8Array(0);
      this.#kept = 0;
      return;
    }
    this.#makeRoom(this.#kept + part.length);
    this.#buffer.set(part, this.#kept);
    this.#kept += part.length;
  }

  /** What came, where it is not over the limit; the next thing begins. */
  take(): Uint8Array {
    const whole = this.#buffer.subarray(0, this.#kept);
    this.#buffer = new Uint8Array(0);
    this.#kept = 0;
    this.#bytes = 0;
    return whole;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.min(this.#limit, Math.max(FIRST_BYTES, bytes, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#kept));
    this.#buffer = grown;
  }
}

/** A stream whose messages can't be separated any more. */
export class FramingError extends Error {
  override readonly name = "FramingError";
}

function tooLong(bytes: number, limit: number): string {
  return `message of ${bytes} bytes (the limit is ${limit})`;
}
