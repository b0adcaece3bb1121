/**
 * Values that MessagePack carries as extensions.
 *
 * @module
 */

import { BodyError } from "./body_error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A timestamp of 32, 64 or 96 bits. */
export function timestamp(view: DataView): Date {
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
export function text16(view: DataView): string {
  let text = "";
  for (let at = 0; at < view.byteLength; at += 2) text += String.fromCharCode(view.getUint16(at));
  return text;
}

/** A decimal text. */
export function bigint(text: string): bigint {
  if (!/^-?[0-9]+$/.test(text)) throw new BodyError("the body has a BigInt that is none");
  return BigInt(text);
}

export function tooLong(): BodyError {
  return new BodyError("the body ends inside a value");
}
