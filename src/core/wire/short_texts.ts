/**
 * The short ASCII texts that come again and again, of which most columns of states, kinds and tags are made: the same text instead of
 * a new one each time, told by its bytes as two numbers.
 *
 * @module
 */

import { ASCII_OF_FOUR } from "./text.ts";

/** What two numbers of four bytes hold. */
export const LONGEST_SHORT_TEXT = 8;
/** One for each value of a byte of the hash. */
const PLACES = 256;
/** Of a text: its first bytes, its last ones, its length. */
const KEY_FIELDS = 4;

export class ShortTexts {
  readonly #keys = new Int32Array(PLACES * KEY_FIELDS);
  readonly #texts = new Array<string | undefined>(PLACES).fill(undefined);

  /**
   * The text of `length` bytes at `from`, from the second time on that it comes where no other came between. One that comes once
   * costs no more than to look for it.
   *
   * @param length from 1 to {@link LONGEST_SHORT_TEXT}
   */
  find(view: DataView, from: number, length: number): string | undefined {
    let first = 0;
    let last = 0;
    if (length >= 4) {
      first = view.getInt32(from);
      last = view.getInt32(from + length - 4);
    } else if (length === 1) {
      first = view.getUint8(from);
    } else {
      first = view.getUint16(from);
      last = view.getUint8(from + length - 1);
    }
    const place = (Math.imul(first, 0x9e37_79b1) + last) >>> 24;
    const at = place * KEY_FIELDS;
    const keys = this.#keys;
    if (keys[at] === first && keys[at + 1] === last && keys[at + 2] === length) {
      return this.#texts[place] ??= textAt(view, from, length);
    }
    if (((first | last) & ~ASCII_OF_FOUR) === 0) {
      keys[at] = first;
      keys[at + 1] = last;
      keys[at + 2] = length;
      this.#texts[place] = undefined;
    }
    return undefined;
  }
}

/** Not cut from a longer text, which it would hold. */
function textAt(view: DataView, from: number, length: number): string {
  return String.fromCharCode(...Array.from({ length }, (_, index) => view.getUint8(from + index)));
}
