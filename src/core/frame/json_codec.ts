/**
 * Values as JSON text, with `Uint8Array`s as raw bytes beside it. What JSON would drop or change in silence (functions, Maps,
 * other typed arrays, BigInt) is refused with its path; `docs/wire-protocol.md` lists the mapping.
 *
 * @module
 */

import { type AttachmentPlace, explained, isHolder, isPlain, type Key, NotSerializableError, Scan } from "./scan.ts";
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

/**
 * @param name stands for the value in the error's text.
 * @throws {NotSerializableError}
 */
export function encodeValue(value: unknown, name: string): JsonText {
  return explained(() => {
    if (isPlain(value) || (Array.isArray(value) && value.every(isPlain))) return encoded(value, name, NONE, NONE);
    const scan = new Scan(name);
    scan.look(value);
    return encoded(value, name, scan.places, scan.attachments);
  });
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
  const hasBytes = attachments.length > 0;
  const text: string | undefined = hasBytes ? JSON.stringify(value, bytesAsNull) : JSON.stringify(value);
  if (text === undefined) throw new NotSerializableError(`${name} has no JSON form`);
  let bytes = utf8Bytes(text);
  if (hasBytes) bytes += utf8Bytes(JSON.stringify(places)) + places.length * PLACE_BYTES;
  for (const attachment of attachments) bytes += attachment.length;
  return { text, bytes, places, attachments };
}

/** Looks at `holder[key]` and not at its JSON form: a Buffer has one of its own. */
function bytesAsNull(this: object, key: string, json: unknown): unknown {
  return Reflect.get(this, key) instanceof Uint8Array ? null : json;
}
