/**
 * What a value that crosses may hold, and how large and how deep it may be: both codecs refuse the same.
 *
 * @module
 */

import { messageOf } from "../user_code.ts";
import { BodyError } from "./frame.ts";

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

const LOSSY = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, ArrayBuffer, SharedArrayBuffer, Error];
const BOXED: readonly string[] = ["Number", "String", "Boolean", "BigInt"];
const LOSSY_NAMES: readonly string[] = LOSSY.map(({ name }) => name);

/** Throws what `refusal` makes where a value has contents that JSON would lose. */
export function refuseLossy(value: object, refusal: (what: string) => Error): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return;
  const tag = tagOf(value);
  // A class of the program, which has no contents but its properties.
  if (tag === "Object" || tag === "Array") return;
  const name = LOSSY_NAMES.includes(tag) ? tag : LOSSY.find((candidate) => value instanceof candidate)?.name;
  if (name !== undefined) throw refusal(`is ${/^[AE]/.test(name) ? "an" : "a"} ${name}`);
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

/** Where an attachment belongs: the keys from the value's root, and how many bytes it has. */
export type AttachmentPlace = readonly [path: readonly Key[], bytes: number];

/** Why a value can't be sent, such as `params[0].when is a function`. */
export class NotSerializableError extends Error {
  override readonly name = "NotSerializableError";
}

const MAX_PATH_LENGTH = 200;
/** A value that has so many times the bytes it may have is not looked at to its end, and not counted either. */
const COUNTED_LIMITS = 2;
const NULL_BYTES = 4;

/** What a codec carries beside what JSON has. */
export interface Carried {
  /** @default true */
  readonly bytes?: boolean;
  /** BigInt, Date, undefined. @default false */
  readonly rich?: boolean;
}

/** Runs `look` and gives whatever it throws the words of a {@link NotSerializableError}. */
export function explained<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof NotSerializableError || error instanceof OverLimitError) throw error;
    throw new NotSerializableError(firstLine(messageOf(error)));
  }
}

/** One look at everything in a value: finds its bytes, and refuses what JSON would lose. */
export class Scan {
  places: AttachmentPlace[] = [];
  attachments: Uint8Array[] = [];
  readonly #name: string;
  readonly #carriesBytes: boolean;
  readonly #isRich: boolean;
  /** More bytes than this are not looked at. */
  readonly #most: number;
  /** Bytes that the value has at least, in either codec. */
  #least = 0;
  /** What lies around the value that is looked at, from the outside in, and by which keys. */
  readonly #holders: object[] = [];
  readonly #keys: Key[] = [];

  /** @param limit bytes that the value may have. */
  constructor(name: string, { bytes = true, rich = false }: Carried = {}, limit = Infinity) {
    this.#name = name;
    this.#carriesBytes = bytes;
    this.#isRich = rich;
    this.#most = limit * COUNTED_LIMITS;
  }

  /**
   * What JSON writes of a value, each part of it read once, with null in the place of bytes.
   *
   * @throws {NotSerializableError} @throws {OverLimitError}
   */
  look(value: unknown): unknown {
    if (isScalar(value)) return value;
    if (this.#isRich && (typeof value === "bigint" || isDate(value))) return value;
    if (!isHolder(value)) throw this.#refusal(`is a ${typeof value}`);
    if (isBytes(value)) return this.#take(value);
    if (isBoxed(value)) return this.look(value.valueOf());
    refuseLossy(value, (what) => this.#refusal(what));
    const toJSON = formOf(value);
    if (typeof toJSON !== "function") return this.#enter(value);
    const json: unknown = Reflect.apply(toJSON, value, [String(this.#keys.at(-1) ?? "")]);
    // JSON.stringify does not ask a form for its own form.
    return isHolder(json) && !isBytes(json) ? this.#enter(json) : this.look(json);
  }

  #enter(holder: object): object {
    if (this.#holders.includes(holder)) throw this.#refusal("is cyclic");
    if (this.#holders.length === MAX_DEPTH) throw this.#refusal(`is nested deeper than ${MAX_DEPTH}`);
    this.#holders.push(holder);
    const form = Array.isArray(holder) ? this.#list(holder) : this.#record(holder);
    this.#holders.pop();
    return form;
  }

  #list(list: readonly unknown[]): unknown[] {
    const { length } = list;
    this.#count(length);
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
    else if (!this.#isRich && (value === null || value === undefined)) this.#count(NULL_BYTES);
    if (isScalar(value)) return value;
    this.#keys.push(key);
    const form = this.look(value);
    this.#keys.pop();
    return form;
  }

  /** Copied, as the text is: the call may wait, and the program may use its buffer again. */
  #take(bytes: Uint8Array): null {
    if (!this.#carriesBytes) {
      throw this.#refusal('is a Uint8Array, which JSON has no form for: write Buffer.from(x).toString("base64")');
    }
    this.#count(bytes.length);
    this.places.push([[...this.#keys], bytes.length]);
    this.attachments.push(new Uint8Array(bytes));
    return null;
  }

  #count(bytes: number): void {
    this.#least += bytes;
    if (this.#least > this.#most) throw new OverLimitError(this.#least);
  }

  #refusal(what: string): NotSerializableError {
    const path = this.#keys.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
    const shown = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
    return new NotSerializableError(`${this.#name}${shown} ${what}`);
  }
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

/** What `value.toJSON` is, where it is a form of its own: what all lists or all objects inherit is none. */
export function formOf(value: object): unknown {
  const toJSON: unknown = Reflect.get(value, "toJSON");
  return toJSON === undefined || Object.hasOwn(value, "toJSON") || !inherited().includes(toJSON) ? toJSON : undefined;
}

/** `JSON.stringify`, whatever the program made of the built-in prototypes. */
export function jsonText(value: unknown): string | undefined {
  // This finds one of Object.prototype too.
  return "toJSON" in Array.prototype ? JSON.stringify(value, withoutInherited) : JSON.stringify(value);
}

function withoutInherited(this: object, key: string, json: unknown): unknown {
  const value: unknown = Reflect.get(this, key);
  return typeof value === "object" && value !== null && formOf(value) === undefined ? value : json;
}

/** The same for an object, which has a text. */
export function objectText(value: object): string {
  return jsonText(value) ?? "null";
}

function inherited(): unknown[] {
  return [Reflect.get(Array.prototype, "toJSON"), Reflect.get(Object.prototype, "toJSON")];
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The JSON value of a body without attachments. The engine's own words for a fault would quote from it. @throws {BodyError} */
export function readJson(body: Uint8Array): unknown {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    throw new BodyError("the body is not UTF-8");
  }
  if (isNestedDeeper(text, MAX_BODY_DEPTH)) throw tooDeep();
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyError("the body is not valid JSON");
  }
}
