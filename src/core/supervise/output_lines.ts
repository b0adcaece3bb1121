/**
 * What a process prints, as lines: decoded, cut where they are too long, and the last ones kept for the error of a crash.
 *
 * @module
 */

import { joinBytes } from "../bytes.ts";

/** A longer line is cut, and the cut is marked. */
const MAX_LINE_BYTES = 8 * 1024;
// As many as an uncaught error takes: the place, the message, its stack, the runtime's version.
const KEPT_LINES = 20;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class OutputLines {
  readonly #line: (text: string) => void;
  readonly #last: string[] = [];
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #cut = 0;

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  /** The last lines, oldest first. */
  get last(): readonly string[] {
    return this.#last;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#take(chunk.subarray(from, end));
      this.#emit();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
  }

  /** The stream has ended: what stands without a newline is a line too. */
  end(): void {
    if (this.#bytes > 0) this.#emit();
  }

  #take(bytes: Uint8Array): void {
    const room = MAX_LINE_BYTES - this.#bytes;
    if (bytes.length > room) this.#cut += bytes.length - room;
    if (room <= 0 || bytes.length === 0) return;
    this.#parts.push(new Uint8Array(bytes.subarray(0, room)));
    this.#bytes += Math.min(bytes.length, room);
  }

  #emit(): void {
    const line = joinBytes(this.#parts);
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    const mark = this.#cut > 0 ? `… (${this.#cut} bytes cut)` : "";
    const text = this.#decoder.decode(line.subarray(0, end)) + mark;
    this.#parts = [];
    this.#bytes = 0;
    this.#cut = 0;
    this.#last.push(text);
    if (this.#last.length > KEPT_LINES) this.#last.shift();
    this.#line(text);
  }
}
