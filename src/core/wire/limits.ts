/**
 * How deep a value may be nested and how large it may be, in both codecs: looked at while it is written and before it is read, since
 * afterwards the time and the memory are gone.
 *
 * @module
 */

import { BodyError } from "./body_error.ts";

/** Engines differ in how deep they can write and read JSON; each of them can do this. */
export const MAX_DEPTH = 1_000;
/** A little more than a value may have, for the columns around it. */
export const MAX_BODY_DEPTH = MAX_DEPTH + 10;

export function tooDeep(): BodyError {
  return new BodyError(`the body is nested deeper than ${MAX_BODY_DEPTH}`);
}

/** A value has so many bytes at least, which is more than it may have. */
export class OverLimitError extends Error {
  override readonly name = "OverLimitError";
  readonly bytes: number;

  constructor(bytes: number) {
    super(`payload of more than ${bytes} bytes`);
    this.bytes = bytes;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether the value of a JSON text is nested deeper than `limit`. */
export function isNestedDeeper(text: string, limit: number): boolean {
  // What is opened is closed.
  if (text.length < limit * 2) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = endOfText(text, at);
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > limit) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return false;
}

/** Where the closing quote of the text that begins at `from` is. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at++;
  }
  return text.length;
}
