/** What a value that crosses may hold, and how large and how deep it may be: all codecs refuse the same. */

import { formOf, hasInheritedForm, isRawJson, messageOf } from "../user_code.ts";
import { LARGE_BYTES, MAX_DEPTH } from "./frame.ts";

/** A value has so many bytes at least, which is more than it may have. */
export class OverLimitError extends Error {
  override readonly name = "OverLimitError";
  readonly bytes: number;

  constructor(bytes: number) {
    super(`payload of more than ${bytes} bytes`);
    this.bytes = bytes;
  }
}

const LOSSY = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, ArrayBuffer, SharedArrayBuffer, Error];
const BOXED: readonly string[] = ["Number", "String", "Boolean", "BigInt"];

/** Throws what `refusal` makes where a value has contents that JSON would lose. */
export function refuseLossy(value: object, refusal: (what: string) => Error): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return;
  const tag = tagOf(value);
  // A class of the program, which has no contents but its properties.
  if (tag === "Object" || tag === "Array") return;
  const lost = LOSSY.find(({ name }) => name === tag) ?? LOSSY.find((candidate) => value instanceof candidate);
  if (lost !== undefined) throw refusal(`is ${/^[AE]/.test(lost.name) ? "an" : "a"} ${lost.name}`);
  if (ArrayBuffer.isView(value)) throw refusal("is a typed array other than Uint8Array");
}

/** Whether `value` is a `Uint8Array`, of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array";
}

/** Whether `value` is a `Date`, of any realm. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date || typeof value === "object" && value !== null && tagOf(value) === "Date";
}

/** Whether `value` is what `Object(1)`, `Object("text")`, `Object(true)` or `Object(1n)` makes, in any realm. */
export function isBoxed(value: object): boolean {
  return BOXED.includes(tagOf(value)) && typeof value.valueOf() !== "object";
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

export type Key = string | number;

/** What stands in the place of a null, where JSON has no word for it. */
export const PlaceKind = {
  date: "date",
  bigint: "bigint",
  number: "number",
  undefined: "undefined",
  /** Bytes beside the text: numbers of 64 bits, small end first. */
  numbers: "numbers",
  /** Bytes beside the text: UTF-8. */
  text: "text",
} as const;

/**
 * Where something belongs that is not in the text: the keys from the value's root, and how many bytes it has of those beside the text.
 * With a kind it is something else than a `Uint8Array`, and a `date`, a `bigint` and a `number` are in the place itself.
 */
export type Place = readonly [path: readonly Key[], bytesOrValue: number | string | null, kind?: string];

/** Why a value can't be sent, such as `params[0].when is a function`. */
export class NotSerializableError extends Error {
  override readonly name = "NotSerializableError";
}

const MAX_PATH_LENGTH = 200;
/** A value that has so many times the bytes it may have is not looked at to its end, and not counted either. */
const COUNTED_LIMITS = 2;
const NULL_BYTES = 4;
/** As many numbers in a row, all of a list, take a tenth of the time as bytes. */
const LEAST_NUMBERS = 16;
/** What is nested deeper is looked at more closely: it may be cyclic. */
const CALM_DEPTH = 64;

/**
 * Whether JSON alone says all of a value, as of nearly all: then it is written as it is. What is large, deep or refused is not plain
 * either: a {@link Scan} finds out more.
 *
 * @param limit bytes that `value` may have. @throws {OverLimitError}
 */
export function isPlain(value: unknown, limit: number): boolean {
  if (!isHolder(value)) return typeof value !== "string" && isPlainScalar(value);
  if (hasInheritedForm()) return false;
  const most = limit * COUNTED_LIMITS;
  const bytes = plainBytes(value, most, 0);
  if (bytes > most) throw new OverLimitError(bytes);
  return bytes >= 0;
}

/** A value that came plain, and that nobody has had since: where it is passed on, it is written without a look. */
export class PlainValue {
  readonly value: object;

  constructor(value: object) {
    this.value = value;
  }
}

/** The parameters of a call, in a list. */
export type Params = readonly unknown[] | PlainValue;

/** Bytes that a plain value has at least, or somewhat more than `limit`; 0 where it is not plain. */
export function leastBytes(value: object, limit: number): number {
  try {
    return hasInheritedForm() ? 0 : plainBytes(value instanceof PlainValue ? value.value : value, limit, 0) || 0;
  } catch {
    return 0; // whoever writes it says why it can't be read
  }
}

/** Bytes that it has at least, more than `most` where it has those; NaN where it is not plain. */
function plainBytes(holder: object, most: number, depth: number): number {
  if (depth === CALM_DEPTH) return NaN;
  if (Array.isArray(holder)) return plainListBytes(holder, most, depth);
  const prototype: unknown = Object.getPrototypeOf(holder);
  if (prototype !== Object.prototype && (prototype !== null || isRawJson(holder))) return NaN;
  // It need not be among the values, and JSON writes whatever it returns.
  if (Reflect.get(holder, "toJSON") !== undefined) return NaN;
  let bytes = 1;
  // A loop over the keys looks at more of each shape, which has left the processor's fast memory since the last call.
  const values: readonly unknown[] = Object.values(holder);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value === "string") {
      if (value.length >= LARGE_BYTES) return NaN;
      bytes += value.length;
    } else if (isHolder(value)) {
      bytes += plainBytes(value, most, depth + 1);
      if (bytes > most) return bytes;
    } else if (!isPlainScalar(value)) return NaN;
  }
  return bytes;
}

function plainListBytes(list: readonly unknown[], most: number, depth: number): number {
  if ("toJSON" in list) return NaN;
  const { length } = list;
  if (length >= LEAST_NUMBERS && length <= most && typeof list[0] === "number" && isNumbers(list)) return NaN;
  let bytes = length;
  for (let index = 0; index < length && bytes <= most; index++) {
    const value = list[index];
    if (typeof value === "string") {
      if (value.length >= LARGE_BYTES) return NaN;
      bytes += value.length;
    } else if (isHolder(value)) bytes += plainBytes(value, most, depth + 1);
    else if (!isPlainScalar(value)) return NaN;
  }
  return bytes;
}

/** Whether a value that is no text and no object is one of JSON. */
function isPlainScalar(value: unknown): boolean {
  if (typeof value === "number") return value - value === 0 && (value !== 0 || 1 / value > 0);
  return typeof value === "boolean" || value === null;
}

/** What a codec carries beside what JSON has. */
export interface Carried {
  /** @default true */
  readonly bytes?: boolean;
  /** All that has a {@link PlaceKind}. @default false */
  readonly rich?: boolean;
  /** How deep a value may be. @default MAX_DEPTH */
  readonly levels?: number;
  /** Where memory for large parts comes from. @default new memory */
  readonly pool?: BufferPool;
}

/** What was thrown while a value was looked at, with the words of a {@link NotSerializableError}. */
export function explained(error: unknown): NotSerializableError | OverLimitError {
  if (error instanceof NotSerializableError || error instanceof OverLimitError) return error;
  return new NotSerializableError(firstLine(messageOf(error)));
}

/** More take too long to read. */
const MAX_BIGINT_DIGITS = 100_000;

/** Whether `text`, of digits and perhaps a sign, is no longer than what a bigint may have. */
export function isBigIntText(text: string): boolean {
  return text.length <= MAX_BIGINT_DIGITS || text.length === MAX_BIGINT_DIGITS + 1 && text.startsWith("-");
}

/** One look at everything in a value: takes out what JSON has no word for, and refuses what would be lost. */
export class Scan {
  places: Place[] = [];
  /** The bytes that stand beside the text, in the order of their places. */
  parts: Uint8Array[] = [];
  readonly #name: string;
  readonly #carriesBytes: boolean;
  readonly #isRich: boolean;
  readonly #levels: number;
  readonly #pool: BufferPool | undefined;
  /** More bytes than this are not looked at. */
  readonly #most: number;
  /** Bytes that the value has at least. */
  #least = 0;
  /** What lies around the value that is looked at, from the outside in, and by which keys. */
  readonly #holders: object[] = [];
  readonly #keys: Key[] = [];

  /** @param limit bytes that the value may have. */
  constructor(name: string, { bytes = true, rich = false, levels = MAX_DEPTH, pool }: Carried = {}, limit = Infinity) {
    this.#name = name;
    this.#carriesBytes = bytes;
    this.#isRich = rich;
    this.#levels = levels;
    this.#pool = pool;
    this.#most = limit * COUNTED_LIMITS;
  }

  /**
   * What JSON writes of a value, each part of it read once, with null in the place of what has a {@link Place}.
   *
   * @throws {NotSerializableError} @throws {OverLimitError}
   */
  look(value: unknown): unknown {
    if (isScalar(value)) return this.#isRich ? this.#scalar(value) : value;
    if (this.#isRich) {
      if (typeof value === "bigint") return this.#bigint(value);
      if (isDate(value)) return this.#date(value);
    }
    if (!isHolder(value)) throw this.#refusal(`is a ${typeof value}`);
    if (isBytes(value)) return this.#take(value);
    if (isBoxed(value)) return this.look(value.valueOf());
    if (isRawJson(value)) return this.look(JSON.parse(value.rawJSON));
    refuseLossy(value, (what) => this.#refusal(what));
    const toJSON = formOf(value);
    if (typeof toJSON !== "function") return this.#enter(value);
    const json: unknown = Reflect.apply(toJSON, value, [String(this.#keys.at(-1) ?? "")]);
    if (!isHolder(json) || isBytes(json) || isRawJson(json) || this.#isRich && isDate(json)) return this.look(json);
    refuseLossy(json, (what) => this.#refusal(what));
    // JSON.stringify does not ask a form for its own form.
    return this.#enter(json);
  }

  #scalar(value: unknown): unknown {
    if (value === undefined) return this.#place(null, PlaceKind.undefined);
    if (typeof value === "number" && !isPlainScalar(value)) {
      return this.#place(Object.is(value, -0) ? "-0" : String(value), PlaceKind.number);
    }
    return typeof value === "string" && value.length >= LARGE_BYTES ? this.#largeText(value) : value;
  }

  #date(date: Date): null {
    const ms = Date.prototype.getTime.call(date);
    return Number.isNaN(ms) ? null : this.#place(ms, PlaceKind.date);
  }

  #bigint(value: bigint): null {
    const text = String(value);
    if (!isBigIntText(text)) throw this.#refusal(`is a bigint of more than ${MAX_BIGINT_DIGITS} digits`);
    return this.#place(text, PlaceKind.bigint);
  }

  #enter(holder: object): unknown {
    if (this.#holders.includes(holder)) throw this.#refusal("is cyclic");
    if (this.#holders.length === this.#levels) throw this.#refusal(`is nested deeper than ${this.#levels}`);
    this.#holders.push(holder);
    const form = Array.isArray(holder) ? this.#list(holder) : this.#record(holder);
    this.#holders.pop();
    return form;
  }

  #list(list: readonly unknown[]): unknown {
    const { length } = list;
    this.#count(length);
    if (this.#isRich && length >= LEAST_NUMBERS && isNumbers(list)) return this.#numbers(list);
    const form: unknown[] = [];
    for (let index = 0; index < length; index++) form.push(this.#lookAt(index, list[index]));
    return form;
  }

  #record(holder: object): object {
    const form: Record<string, unknown> = {};
    for (const key of Object.keys(holder)) {
      const value = this.#lookAt(key, Reflect.get(holder, key));
      if (key !== "__proto__") form[key] = value;
      else Object.defineProperty(form, key, { value, configurable: true, enumerable: true, writable: true });
    }
    return form;
  }

  #lookAt(key: Key, value: unknown): unknown {
    if (typeof value === "string") this.#count(value.length);
    else if (value === null || value === undefined) this.#count(NULL_BYTES);
    if (this.#isRich ? isPlainScalar(value) : isScalar(value)) return value;
    if (typeof value === "string" && value.length < LARGE_BYTES) return value;
    this.#keys.push(key);
    const form = this.look(value);
    this.#keys.pop();
    return form;
  }

  #place(value: number | string | null, kind: string): null {
    this.places.push([[...this.#keys], value, kind]);
    return null;
  }

  /** Copied, as the text is: the call may wait, and the program may use its buffer again. */
  #take(bytes: Uint8Array): null {
    if (!this.#carriesBytes) {
      throw this.#refusal('is a Uint8Array, which JSON has no form for: write Buffer.from(x).toString("base64")');
    }
    const { length } = bytes;
    this.#count(length);
    this.places.push([[...this.#keys], length]);
    const copy = this.#memory(length);
    copy.set(bytes);
    this.parts.push(copy);
    return null;
  }

  /** The engine would escape it, look for escapes and copy it once more. A text that UTF-8 can't carry stays in the JSON. */
  #largeText(text: string): string | null {
    const bytes = this.#memory(text.length);
    const { read, written } = encoder.encodeInto(text, bytes);
    const part = read === text.length ? bytes.subarray(0, written) : encoder.encode(text);
    if (part.length > text.length && LONE_SURROGATE.test(text)) return text;
    this.#count(part.length - text.length);
    this.parts.push(part);
    return this.#place(part.length, PlaceKind.text);
  }

  #numbers(list: readonly number[]): null {
    this.#count(list.length * (Float64Array.BYTES_PER_ELEMENT - 1));
    this.parts.push(new Uint8Array(Float64Array.from(list).buffer));
    return this.#place(list.length * Float64Array.BYTES_PER_ELEMENT, PlaceKind.numbers);
  }

  #memory(bytes: number): Uint8Array {
    if (bytes < LARGE_BYTES || this.#pool === undefined) return new Uint8Array(bytes);
    return this.#pool.take(bytes).subarray(0, bytes);
  }

  #count(bytes: number): void {
    this.#least += bytes;
    if (this.#least > this.#most) throw new OverLimitError(this.#least);
  }

  #refusal(what: string): NotSerializableError {
    const path = this.#keys.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
    const shown = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}\u2026` : path;
    return new NotSerializableError(`${this.#name}${shown} ${what}`);
  }
}

const encoder = new TextEncoder();
const LONE_SURROGATE = /[\ud800-\udfff]/u;

function isNumbers(list: readonly unknown[]): list is readonly number[] {
  for (let index = 0; index < list.length; index++) if (typeof list[index] !== "number") return false;
  return true;
}

export function isScalar(value: unknown): boolean {
  return value === null || value === undefined || typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
}

export function isHolder(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}

/** More buffers than this are left to the engine. */
const MAX_BUFFERS = 8;
/** A buffer is not used for a value that leaves most of it empty. */
const MAX_WASTE = 4;

/**
 * Memory of large values that are settled, for the next large ones: new memory costs more than to copy a value into it. It is held
 * weakly, so that the engine may collect what is not used again.
 */
export class BufferPool {
  #free: WeakRef<Uint8Array<ArrayBuffer>>[] = [];

  /** A buffer of at least `bytes`, with whatever was in it before. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    let index = 0;
    for (const free of this.#free) {
      const buffer = free.deref();
      if (buffer !== undefined && buffer.length >= bytes && buffer.length <= bytes * MAX_WASTE) {
        this.#free.splice(index, 1);
        return buffer;
      }
      index++;
    }
    return new Uint8Array(bytes);
  }

  /** Nothing reads or writes `buffer` any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length === MAX_BUFFERS) this.#free.shift();
    this.#free.push(new WeakRef(buffer));
  }
}
