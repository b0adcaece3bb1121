/**
 * Values that MessagePack carries as extensions.
 *
 * @module
 */

import { BodyError } from "./body_error.ts";
import { BIGINT, TEXT16, TIMESTAMP } from "./compact_format.ts";

const MAX_BIGINT_DIGITS = 100_000;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What an extension stands for. @throws {BodyError} */
export function extensionOf(type: number, bytes: Uint8Array): unknown {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (type === TIMESTAMP) return timestamp(view);
  if (type === TEXT16 && length % 2 === 0) return text16(view);
  if (type === BIGINT && length <= MAX_BIGINT_DIGITS) return bigint(utf8Text(bytes));
  throw new BodyError(`the body has extension type ${type} of ${length} bytes, which brokkr does not know`);
}

/** A timestamp of 32, 64 or 96 bits. */
function timestamp(view: DataView): Date {
  const { byteLength } = view;
  if (byteLength === 4) return new Date(view.getUint32(0) * 1000);
  if (byteLength === 8) {
    const high = view.getUint32(0);
    return new Date(((high & 3) * 0x100000000 + view.getUint32(4)) * 1000 + (high >>> 2) / 1_000_000);
  }
  if (byteLength === 12) return new Date(Number(view.getBigInt64(4)) * 1000 + view.getUint32(0) / 1_000_000);
  throw new BodyError(`the body has a timestamp of ${byteLength} bytes`);
}

export function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BodyError("the body has a text that is not UTF-8");
  }
}

/** UTF-16 units, big end first. */
function text16(view: DataView): string {
  let text = "";
  for (let at = 0; at < view.byteLength; at += 2) text += String.fromCharCode(view.getUint16(at));
  return text;
}

/** A decimal text. */
function bigint(text: string): bigint {
  if (!/^-?[0-9]+$/.test(text)) throw new BodyError("the body has a BigInt that is none");
  return BigInt(text);
}

export function tooLong(): BodyError {
  return new BodyError("the body ends inside a value");
}
