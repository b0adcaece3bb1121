/**
 * Values as JSON text, with `Uint8Array`s as raw bytes beside it. What JSON would drop or change in silence (functions, Maps,
 * other typed arrays, BigInt) is refused with its path; `docs/wire-protocol.md` lists the mapping.
 *
 * @module
 */

import { isError, textOf } from "../thrown.ts";
import { utf8Bytes } from "./text.ts";

type Key = string | number;

/** Where an attachment belongs: the keys from the value's root, and how many bytes it has. */
export type AttachmentPlace = readonly [path: readonly Key[], bytes: number];

/** A value ready to be put into a frame. */
export interface EncodedValue {
  readonly text: string;
  /** Bytes of the text, of all attachments and of their places. */
  readonly bytes: number;
  readonly places: readonly AttachmentPlace[];
  readonly attachments: readonly Uint8Array[];
}

/** Why a value can't be sent, such as `params[0].when is a function`. */
export class NotSerializableError extends Error {
  override readonly name = "NotSerializableError";
}

/** Engines differ in how deep they can write and read JSON; each of them can do this. */
const MAX_DEPTH = 1_000;
const MAX_PATH_LENGTH = 200;
/** What a place costs in a batch beside its own text. */
const PLACE_BYTES = 16;
const NONE: readonly never[] = [];

/**
 * @param name stands for the value in the error's text.
 * @throws {NotSerializableError}
 */
export function encodeValue(value: unknown, name: string): EncodedValue {
  try {
    if (isPlain(value) || (Array.isArray(value) && value.every(isPlain))) return encoded(value, name, NONE, NONE);
    const scan = new Scan(name);
    scan.look(value);
    return encoded(value, name, scan.places, scan.attachments);
  } catch (error) {
    if (error instanceof NotSerializableError) throw error;
    throw new NotSerializableError(firstLine(isError(error) ? textOf(error.message) : textOf(error)));
  }
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
): EncodedValue {
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

/** One look at everything in a value: finds its bytes, and refuses what JSON would lose. */
class Scan {
  places: AttachmentPlace[] = [];
  attachments: Uint8Array[] = [];
  readonly #name: string;
  /** What lies around the value that is looked at, from the outside in, and by which keys. */
  readonly #holders: object[] = [];
  readonly #keys: Key[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** @throws {NotSerializableError} */
  look(value: unknown): void {
    if (isPlain(value)) return;
    if (!isHolder(value)) throw this.#refusal(`is a ${typeof value}`);
    if (value instanceof Uint8Array) return this.#take(value);
    refuseLossy(value, (what) => this.#refusal(what));
    const toJSON: unknown = Reflect.get(value, "toJSON");
    if (typeof toJSON !== "function") return this.#enter(value);
    const json: unknown = Reflect.apply(toJSON, value, [String(this.#keys.at(-1) ?? "")]);
    // JSON.stringify does not ask a form for its own form.
    if (isHolder(json) && !(json instanceof Uint8Array)) this.#enter(json);
    else this.look(json);
  }

  #enter(holder: object): void {
    if (this.#holders.includes(holder)) throw this.#refusal("is cyclic");
    if (this.#holders.length === MAX_DEPTH) throw this.#refusal(`is nested deeper than ${MAX_DEPTH}`);
    this.#holders.push(holder);
    if (Array.isArray(holder)) {
      for (let index = 0; index < holder.length; index++) this.#lookAt(index, holder[index]);
    } else {
      for (const key of Object.keys(holder)) this.#lookAt(key, Reflect.get(holder, key));
    }
    this.#holders.pop();
  }

  #lookAt(key: Key, value: unknown): void {
    if (isPlain(value)) return;
    this.#keys.push(key);
    this.look(value);
    this.#keys.pop();
  }

  /** Copied, as the text is: the call may wait, and the program may use its buffer again. */
  #take(bytes: Uint8Array): void {
    this.places.push([[...this.#keys], bytes.length]);
    this.attachments.push(new Uint8Array(bytes));
  }

  #refusal(what: string): NotSerializableError {
    const path = this.#keys.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
    const shown = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
    return new NotSerializableError(`${this.#name}${shown} ${what}`);
  }
}

function isPlain(value: unknown): boolean {
  return value === null || value === undefined || typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
}

const LOSSY = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, ArrayBuffer, SharedArrayBuffer, Error];

function refuseLossy(value: object, refusal: (what: string) => NotSerializableError): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return;
  const type = LOSSY.find((candidate) => value instanceof candidate);
  if (type !== undefined) throw refusal(`is ${/^[AE]/.test(type.name) ? "an" : "a"} ${type.name}`);
  if (ArrayBuffer.isView(value)) throw refusal("is a typed array other than Uint8Array");
}

function isHolder(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
