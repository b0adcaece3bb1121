/**
 * The texts of one body, each made in the way that costs least: most are short and ASCII.
 *
 * @module
 */

import { utf8Text } from "./compact_values.ts";
import { LONGEST_SHORT_TEXT, ShortTexts } from "./short_texts.ts";
import { ASCII_OF_FOUR } from "./text.ts";
import { TextWindow } from "./text_window.ts";

/** Texts up to this length are cut from a window. */
const LONGEST_CUT_TEXT = 96;

/** Of all bodies of the process. */
const shortTexts = new ShortTexts();

const EMPTY = new Uint8Array(0);

export class BodyTexts {
  readonly #window = new TextWindow();
  #bytes: Uint8Array = EMPTY;
  #view: DataView = new DataView(EMPTY.buffer);

  /**
   * From now on texts are read from `bytes` before `limit`.
   *
   * @param view of the same memory
   * @param given what may bring along how to make texts
   */
  open(bytes: Uint8Array, view: DataView, limit: number, given: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = view;
    this.#window.open(bytes, limit, given);
  }

  /** The text from `from` to `to`, not before the last one that was read. @throws {BodyError} where it is not UTF-8. */
  read(from: number, to: number): string {
    const length = to - from;
    if (length <= LONGEST_SHORT_TEXT && length > 0) {
      const text = shortTexts.find(this.#view, from, length);
      if (text !== undefined) return text;
    }
    if (length > LONGEST_CUT_TEXT || !this.#isAscii(from, to)) return utf8Text(this.#bytes.subarray(from, to));
    return this.#window.cut(from, to);
  }

  #isAscii(from: number, to: number): boolean {
    const view = this.#view;
    let all = 0;
    let at = from;
    for (; at <= to - 4; at += 4) all |= view.getInt32(at);
    for (; at < to; at++) all |= view.getUint8(at);
    return (all & ~ASCII_OF_FOUR) === 0;
  }
}
