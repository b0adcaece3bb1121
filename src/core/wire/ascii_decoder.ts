/**
 * The texts of one body, each made in the way that costs least. Most are short and ASCII: they are cut from longer ones that are
 * decoded at once, a fifth of what each costs by itself.
 *
 * @module
 */

import { BodyError } from "./frame.ts";

/** Texts up to this length are cut from a window. */
const LONGEST_CUT_TEXT = 96;
/** A text that is kept may hold its whole window in memory, so the window is not wider. */
const WINDOW_BYTES = 1024;
/** The bits that four ASCII characters may have. */
const ASCII_OF_FOUR = 0x7f7f7f7f;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ascii = new TextDecoder("utf-8");
const scratch = new Uint8Array(WINDOW_BYTES);
const fours = new Int32Array(scratch.buffer);

const EMPTY = new Uint8Array(0);

/** Makes a text of bytes at a tenth of the cost: a `Buffer`, which Node and Bun deliver, has it. */
type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;

export class AsciiDecoder {
  #bytes: Uint8Array = EMPTY;
  #view: DataView = new DataView(EMPTY.buffer);
  #limit = 0;
  #latin1Slice: Latin1Slice | undefined;
  /** The window: its text, and where it begins and ends in the bytes. */
  #text = "";
  #start = 0;
  #end = 0;

  /**
   * From now on texts are read from `bytes` before `limit`.
   *
   * @param view of the same memory
   * @param given the bytes as they came, which may have a method that makes texts
   */
  open(bytes: Uint8Array, view: DataView, limit = bytes.length, given: Uint8Array = bytes): void {
    this.#bytes = bytes;
    this.#view = view;
    this.#limit = limit;
    this.#latin1Slice = (given as Partial<{ readonly latin1Slice: Latin1Slice }>).latin1Slice;
    this.#text = "";
    this.#start = 0;
    this.#end = 0;
  }

  /** The text from `from` to `to`, not before the last one that was read. @throws {BodyError} where it is not UTF-8. */
  read(from: number, to: number): string {
    if (to - from > LONGEST_CUT_TEXT || !this.#isAscii(from, to)) return utf8Text(this.#bytes.subarray(from, to));
    if (to > this.#end) this.#moveTo(from);
    return this.#text.substring(from - this.#start, to - this.#start);
  }

  #isAscii(from: number, to: number): boolean {
    const view = this.#view;
    let all = 0;
    let at = from;
    for (; at <= to - 4; at += 4) all |= view.getInt32(at);
    for (; at < to; at++) all |= view.getUint8(at);
    return (all & ~ASCII_OF_FOUR) === 0;
  }

  #moveTo(start: number): void {
    this.#start = start;
    this.#end = Math.min(start + WINDOW_BYTES, this.#limit);
    this.#text = this.#latin1Slice === undefined
      ? oneEach(this.#bytes, start, this.#end)
      : this.#latin1Slice.call(this.#bytes, start, this.#end);
  }
}

/** @throws {BodyError} */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BodyError("the body has a text that is not UTF-8");
  }
}

/**
 * One character for each byte: its own where the byte is ASCII, any where it is not. Decoders of old encodings would do it too, but
 * some of their characters make the whole text one of two bytes each, which takes ten times as long.
 */
function oneEach(bytes: Uint8Array, start: number, end: number): string {
  scratch.set(bytes.subarray(start, end));
  for (let four = (end - start + 3) >> 2; four-- > 0;) fours[four] = (fours[four] ?? 0) & ASCII_OF_FOUR;
  return ascii.decode(scratch.subarray(0, end - start));
}
