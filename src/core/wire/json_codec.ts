/**
 * Values as JSON text, with `Uint8Array`s as raw bytes beside it. What JSON would drop or change in silence (functions, Maps,
 * other typed arrays, BigInt) is refused with its path; `docs/wire-protocol.md` lists the mapping.
 *
 * @module
 */

import { jsonText, objectText } from "./json_text.ts";
import {
  type AttachmentPlace,
  type Carried,
  explained,
  isHolder,
  isPlain,
  type Key,
  NotSerializableError,
  Scan,
} from "./scan.ts";
import { utf8Bytes } from "./text.ts";

/** A value ready to be put into a frame. */
export interface JsonText {
  /** What a value in the compact codec has. */
  readonly buffer?: undefined;
  readonly text: string;
  /** Bytes of the text, of all attachments and of their places. */
  readonly bytes: number;
  readonly places: readonly AttachmentPlace[];
  readonly attachments: readonly Uint8Array[];
}

/** What a place costs in a batch beside its own text. */
const PLACE_BYTES = 16;
const NONE: readonly never[] = [];

/** A longer list is looked at as any other value is. */
const SHORT_LIST = 100;

/**
 * @param name stands for the value in the error's text.
 * @param limit bytes that it may have. A value with many times as much is not written.
 * @throws {NotSerializableError} @throws {OverLimitError}
 */
export function encodeValue(value: unknown, name: string, { limit = Infinity, ...carried }: Encoding = {}): JsonText {
  return explained(() => {
    if (isPlain(value) || isPlainList(value)) return encoded(value, name, NONE, NONE);
    const scan = new Scan(name, carried, limit);
    return encoded(scan.look(value), name, scan.places, scan.attachments);
  });
}

/** How a value is written as JSON. */
export interface Encoding extends Carried {
  /** @default none */
  readonly limit?: number;
}

/**
 * The JSON text of a value for those who read nothing else; undefined where it has none.
 *
 * @throws {NotSerializableError} where JSON would lose what it holds.
 */
export function plainText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : encodeValue(value, name, { bytes: false }).text;
}

function isPlainList(value: unknown): boolean {
  return Array.isArray(value) && value.length <= SHORT_LIST && value.every(isPlain);
}

/** Puts `bytes` where `path` says in a value that was parsed from JSON. @throws {TypeError} where it leads nowhere. */
export function attach(value: unknown, path: readonly Key[], bytes: Uint8Array): void {
  const last = path.at(-1);
  if (last === undefined) throw new TypeError("attachment path is empty");
  let holder: unknown = value;
  for (const key of path.slice(0, -1)) {
    if (!isHolder(holder) || !Object.hasOwn(holder, key)) throw new TypeError("attachment path leads nowhere");
    holder = Reflect.get(holder, key);
  }
  if (!isHolder(holder) || !Object.hasOwn(holder, last)) throw new TypeError("attachment path leads nowhere");
  Object.defineProperty(holder, last, { value: bytes, configurable: true, enumerable: true, writable: true });
}

function encoded(
  value: unknown,
  name: string,
  places: readonly AttachmentPlace[],
  attachments: readonly Uint8Array[],
): JsonText {
  const text = jsonText(value);
  if (text === undefined) throw new NotSerializableError(`${name} has no JSON form`);
  let bytes = utf8Bytes(text);
  if (places.length > 0) bytes += utf8Bytes(objectText(places)) + places.length * PLACE_BYTES;
  for (const attachment of attachments) bytes += attachment.length;
  return { text, bytes, places, attachments };
}
