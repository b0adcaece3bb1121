/**
 * Values as JSON text, with `Uint8Array`s as raw bytes beside it. What JSON would drop or change in silence (functions, Maps,
 * other typed arrays, BigInt) is refused with its path; `docs/wire-protocol.md` lists the mapping.
 *
 * @module
 */

/** Where an attachment belongs: the keys from the value's root, and how many bytes it has. */
export type AttachmentPlace = readonly [path: readonly (string | number)[], bytes: number];

/** A value ready to be put into a frame. */
export interface EncodedValue {
  readonly text: string;
  /** Bytes of the text and of all attachments. */
  readonly bytes: number;
  readonly places: readonly AttachmentPlace[];
  readonly attachments: readonly Uint8Array[];
}

/** Why a value can't be sent, such as `params[0].when is a function`. */
export class NotSerializableError extends Error {
  override readonly name = "NotSerializableError";
}

/** Beyond this depth only `JSON.stringify` looks; it finds cycles itself. */
const MAX_SCAN_DEPTH = 200;
const NONE: readonly never[] = [];

/**
 * @param name stands for the value in the error's text.
 * @throws {NotSerializableError}
 */
export function encodeValue(value: unknown, name: string): EncodedValue {
  try {
    const hasBytes = scan(value, name, 0);
    if (!hasBytes) return encoded(value, name, NONE, NONE);
    const places: AttachmentPlace[] = [];
    const attachments: Uint8Array[] = [];
    const rest = extract(value, [], (path, bytes) => {
      places.push([path, bytes.length]);
      attachments.push(bytes);
    });
    return encoded(rest, name, places, attachments);
  } catch (error) {
    if (error instanceof NotSerializableError) throw error;
    throw new NotSerializableError(firstLine(error));
  }
}

/** Puts `bytes` where `path` says in a value that was parsed from JSON. @throws {TypeError} where it leads nowhere. */
export function attach(value: unknown, path: readonly (string | number)[], bytes: Uint8Array): void {
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

function encoded(
  value: unknown,
  name: string,
  places: readonly AttachmentPlace[],
  attachments: readonly Uint8Array[],
): EncodedValue {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new NotSerializableError(`${name} has no JSON form`);
  let bytes = utf8Bytes(text);
  for (const attachment of attachments) bytes += attachment.length;
  return { text, bytes, places, attachments };
}

/** True where the value holds a Uint8Array. @throws {NotSerializableError} on what JSON would lose. */
function scan(value: unknown, path: string, depth: number): boolean {
  if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint") {
    throw new NotSerializableError(`${path} is a ${typeof value}`);
  }
  if (typeof value !== "object" || value === null || depth > MAX_SCAN_DEPTH) return false;
  if (Array.isArray(value)) {
    let found = false;
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (isPlainScalar(item)) continue;
      if (scan(item, `${path}[${index}]`, depth + 1)) found = true;
    }
    return found;
  }
  return scanObject(value, path, depth);
}

function scanObject(value: object, path: string, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    if (value instanceof Uint8Array) return true;
    refuseLossy(value, path);
    if (typeof Reflect.get(value, "toJSON") === "function") return false;
  }
  let found = false;
  for (const key of Object.keys(value)) {
    const item: unknown = Reflect.get(value, key);
    if (isPlainScalar(item)) continue;
    if (scan(item, `${path}.${key}`, depth + 1)) found = true;
  }
  return found;
}

function isPlainScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === undefined;
}

const LOSSY = [Map, Set, WeakMap, WeakSet, Promise, RegExp, ArrayBuffer, Error];

function refuseLossy(value: object, path: string): void {
  const type = LOSSY.find((candidate) => value instanceof candidate);
  if (type !== undefined) throw new NotSerializableError(`${path} is a ${type.name}`);
  if (ArrayBuffer.isView(value)) {
    throw new NotSerializableError(`${path} is a typed array other than Uint8Array`);
  }
}

/** A copy of `value` with null in place of each Uint8Array, and each of these handed to `take`. */
function extract(
  value: unknown,
  path: readonly (string | number)[],
  take: (path: readonly (string | number)[], bytes: Uint8Array) => void,
): unknown {
  if (value instanceof Uint8Array) {
    take(path, value);
    return null;
  }
  if (!isHolder(value) || path.length > MAX_SCAN_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item: unknown, index) => extract(item, [...path, index], take));
  if (typeof Reflect.get(value, "toJSON") === "function") return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = extract(Reflect.get(value, key), [...path, key], take);
    Object.defineProperty(copy, key, { value: item, configurable: true, enumerable: true, writable: true });
  }
  return copy;
}

function isHolder(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
