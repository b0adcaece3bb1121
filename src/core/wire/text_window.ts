/**
 * Short ASCII texts of one body, cut from longer ones that are decoded at once: a fifth of what each costs by itself.
 *
 * @module
 */

import { ASCII_OF_FOUR } from "./text.ts";

/** A text that is kept may hold its whole window in memory, so it is not wider. */
const WINDOW_BYTES = 1024;

const utf8 = new TextDecoder("utf-8");
const scratch = new Uint8Array(WINDOW_BYTES);
const fours = new Int32Array(scratch.buffer);

/** Makes a text of bytes at a tenth of the cost: what Node and Bun deliver brings it along. */
type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;

export class TextWindow {
  #bytes: Uint8Array = scratch;
  #limit = 0;
  #latin1Slice: Latin1Slice | undefined;
  #text = "";
  #start = 0;
  #end = 0;

  /** From now on texts are cut from `bytes` before `limit`. @param given what may bring along how to make them. */
  open(bytes: Uint8Array, limit = bytes.length, given: Uint8Array = bytes): void {
    this.#bytes = bytes;
    this.#limit = limit;
    this.#latin1Slice = (given as Partial<{ readonly latin1Slice: Latin1Slice }>).latin1Slice;
    this.#text = "";
    this.#start = 0;
    this.#end = 0;
  }

  /** The text from `start` to `end`: ASCII, no longer than a window, and not before the last one that was cut. */
  cut(start: number, end: number): string {
    if (end > this.#end) {
      this.#start = start;
      this.#end = Math.min(start + WINDOW_BYTES, this.#limit);
      this.#text = this.#latin1Slice === undefined
        ? oneEach(this.#bytes, start, this.#end)
        : this.#latin1Slice.call(this.#bytes, start, this.#end);
    }
    return this.#text.substring(start - this.#start, end - this.#start);
  }
}

/**
 * One character for each byte: its own where the byte is ASCII, any where it is not. Decoders of old encodings would do it too, but
 * some of their characters make the whole text one of two bytes each, which takes ten times as long.
 */
function oneEach(bytes: Uint8Array, start: number, end: number): string {
  scratch.set(bytes.subarray(start, end));
  for (let four = (end - start + 3) >> 2; four-- > 0;) fours[four] = (fours[four] ?? 0) & ASCII_OF_FOUR;
  return utf8.decode(scratch.subarray(0, end - start));
}
