/**
 * Text as the bytes of a body, and back.
 *
 * @module
 */

/** The bits that four ASCII characters may have. */
export const ASCII_OF_FOUR = 0x7f7f7f7f;

const EXCERPT_BYTES = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text of a body. @throws {TypeError} where it is not UTF-8. */
export function bodyText(body: Uint8Array): string {
  return decoder.decode(body);
}

/** UTF-8 bytes of `text`. */
export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes `text` to the front of `target`, which has three bytes for each character. Returns how many it took. */
export function writeText(text: string, target: Uint8Array): number {
  return encoder.encodeInto(text, target).written;
}

/** Length of `text` in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}

/** The first bytes of a body, printable. */
export function excerpt(body: Uint8Array): string {
  let text = "";
  for (const byte of body.subarray(0, EXCERPT_BYTES)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
