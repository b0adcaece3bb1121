/**
 * Messages that stand after a header each, as the Language Server Protocol has them:
 *
 *     Content-Length: 123\r\n
 *     \r\n
 *     { … 123 bytes … }
 *
 * A program may print between its messages: lines that are no header are handed on as such, and the next header is found again.
 *
 * @module
 */

import type { FramingEvents, MessageReader } from "./framing.ts";
import { FramingError, tooLong } from "./framing_error.ts";
import { Gathered } from "./gathered.ts";
import { LineSplitter } from "./line_splitter.ts";

/** A line between messages that is longer is not a header. */
const LINE_LIMIT_BYTES = 64 * 1024;
/** A message over the limit is skipped; one that is this many times over it would never end. */
const SKIPPED_LIMITS = 64;
/** What a program prints without a line end stands before the header, in its line. */
const LENGTH = /^(.*?)content-length:[ \t]*(\d+)[ \t]*$/i;
const OTHER_HEADER = /^content-type:/i;

export class ContentLengthReader implements MessageReader {
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
