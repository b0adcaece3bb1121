/**
 * The lines of a stream that comes in chunks, without their ends.
 *
 * @module
 */

import { Gathered } from "./gathered.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class LineSplitter {
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
