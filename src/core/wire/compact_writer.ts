/**
 * Values as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), with repeated shapes of objects as one byte.
 * An integer from 64 to 127 is therefore written with the byte `cc` before it.
 *
 * @module
 */

import { BufferPool, LARGE_BYTES } from "./buffer_pool.ts";
import type { Span } from "./codec.ts";
import { formOf, isBoxed, isBytes, isDate, OverLimitError, refuseLossy } from "./serializable.ts";
import { isPlainObject, type Shapes } from "./shapes.ts";

/** The published one, always of 96 bits. */
export const TIMESTAMP = 0xff;
/** undefined, as `msgpackr` writes it. */
export const UNDEFINED = 0x00;
/** A BigInt of more than 64 bits, as decimal text. */
export const BIGINT = 0x49;
/** A text with half a surrogate pair, which UTF-8 can't carry: its UTF-16 units, big end first. */
export const TEXT16 = 0x55;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Nested deeper than this, a value is looked at more closely before it is written. */
const CALM_DEPTH = 64;

/** What is written may be cyclic or too deep, which only a longer look finds out. */
class TooDeep extends Error {}

/** A value is refused; the path is found by a second look. */
class Refusal extends Error {}

const SLAB_BYTES = 64 * 1024;
/** A value that begins with less room than this gets a new slab. */
const ROOM_BYTES = 1024;
/** Longer texts are written by the engine's own encoder. */
const SHORT_TEXT = 40;
/** The most bytes of a head, or of a number. */
const HEAD_BYTES = 9;
/** Fewer bytes are copied one by one. */
const SHORT_COPY = 64;

const MAX_INT64 = 2n ** 63n - 1n;

const encoder = new TextEncoder();
const ZERO = Uint8Array.of(0);

export class CompactWriter {
  readonly #shapes: Shapes;
  readonly #pool: BufferPool;
  #depth = 0;
  #maxDepth = CALM_DEPTH;
  /** Where the bytes are. What was ended is never written again. */
  buffer: Uint8Array<ArrayBuffer> = new Uint8Array(SLAB_BYTES);
  /** The same memory as {@link buffer}. */
  view = new DataView(this.buffer.buffer);
  /** Where the next byte goes. */
  end = 0;
  /** Bytes that a value may have. It is looked at where more memory is needed, so that no value takes much more. */
  limit = Infinity;
  #start = 0;
  #large: Span[] | undefined;

  /** @param pool for what is larger than a slab. */
  constructor(shapes: Shapes, pool: BufferPool = new BufferPool()) {
    this.#shapes = shapes;
    this.#pool = pool;
  }

  /** Begins a value. A large one has memory of its own. */
  begin(): void {
    if (this.buffer.length > SLAB_BYTES || this.buffer.length - this.end < ROOM_BYTES) {
      this.#use(new Uint8Array(SLAB_BYTES));
      this.end = 0;
    }
    this.#start = this.end;
    this.#large = undefined;
  }

  /** Writes from the front again: what was written before is not used any more. */
  restart(): void {
    if (this.buffer.length > SLAB_BYTES * 4) this.#use(new Uint8Array(SLAB_BYTES));
    this.end = 0;
    this.#start = 0;
  }

  /** Where the value that was begun starts now: a value that grows moves. */
  get start(): number {
    return this.#start;
  }

  /** The large texts and bytes of the value that was begun, counted from its start. */
  get large(): readonly Span[] | undefined {
    return this.#large;
  }

  /** Bytes of the value that was begun. */
  get length(): number {
    return this.end - this.#start;
  }

  /** Takes back what was written since `begin`. */
  discard(): void {
    this.end = this.#start;
    this.#large = undefined;
  }

  /** @param calm false where the value is known to end. @throws {TooDeep | Refusal} */
  value(value: unknown, calm = true): void {
    this.#depth = 0;
    this.#maxDepth = calm ? CALM_DEPTH : Infinity;
    this.#write(value);
  }

  /** A value within the one that was begun. */
  nested(value: unknown): void {
    if (this.#depth === this.#maxDepth) throw new TooDeep();
    this.#depth++;
    this.#write(value);
    this.#depth--;
  }

  /** Not a switch: the engines compare with a type's name at once, and take three times as long to find out the name. */
  #write(value: unknown): void {
    if (typeof value === "string") this.text(value);
    else if (typeof value === "number") {
      if (value === (value | 0) && (value !== 0 || 1 / value > 0)) this.integer(value);
      else this.float(value);
    } else if (typeof value === "object") {
      if (value === null) this.byte(0xc0);
      else if (Array.isArray(value) && !("toJSON" in value)) this.#items(value);
      else this.#object(value);
    } else if (typeof value === "boolean") this.byte(value ? 0xc3 : 0xc2);
    else if (value === undefined) this.extension(UNDEFINED, ZERO);
    else if (typeof value === "bigint") this.#bigint(value);
    else throw new Refusal();
  }

  #items(list: readonly unknown[]): void {
    if (this.#depth === this.#maxDepth) throw new TooDeep();
    this.#depth++;
    const { length } = list;
    // Each item has a byte at least.
    if (length > this.limit) throw new OverLimitError(this.length + length);
    this.list(length);
    for (let index = 0; index < length; index++) {
      const item = list[index];
      if (typeof item === "string") this.text(item);
      else this.#write(item);
    }
    this.#depth--;
  }

  #object(value: object): void {
    const shape = this.#shapes.likely(value);
    if (shape !== undefined) shape.write(this, value);
    else if (isPlainObject(value) && isRecord(value)) this.#keyed(value, Object.keys(value));
    else this.#other(value);
  }

  #keyed(record: Fields, keys: readonly string[]): void {
    const shape = this.#shapes.find(keys);
    if (shape !== undefined) return shape.write(this, record);
    this.head(keys.length, 0x80, 16, 0xde);
    for (const key of keys) {
      this.text(key);
      this.nested(record[key]);
    }
  }

  #other(value: object): void {
    if (isBytes(value)) return this.binary(value);
    if (isDate(value)) return this.#date(value);
    if (isBoxed(value)) return this.#write(value.valueOf());
    refuseLossy(value, () => new Refusal());
    const toJSON = formOf(value);
    const form: unknown = typeof toJSON === "function" ? Reflect.apply(toJSON, value, [""]) : value;
    if (typeof form !== "object" || form === null || isBytes(form)) return this.#write(form);
    // The form of a form does not count.
    if (Array.isArray(form)) return this.#items(form);
    if (form !== value) refuseLossy(form, () => new Refusal());
    if (isRecord(form)) this.#keyed(form, Object.keys(form));
  }

  /** Nanoseconds and seconds of a timestamp of 96 bits, the only one that reaches before 1970; null where it is no time. */
  #date(date: Date): void {
    const ms = Date.prototype.getTime.call(date);
    if (Number.isNaN(ms)) return this.byte(0xc0);
    const seconds = Math.floor(ms / 1000);
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, (ms - seconds * 1000) * 1_000_000);
    view.setBigInt64(4, BigInt(seconds));
    this.extension(TIMESTAMP, bytes);
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value) return this.int64(value);
    this.extension(BIGINT, encoder.encode(String(value)));
  }

  /** A map of what travels with a call; nil where there is nothing. */
  headers(entries: readonly (readonly [key: string, value: unknown])[] | null): void {
    if (entries === null) return this.byte(0xc0);
    this.head(entries.length, 0x80, 16, 0xde);
    for (const [key, value] of entries) {
      this.text(key);
      this.value(value);
    }
  }

  list(length: number): void {
    this.head(length, 0x90, 16, 0xdc);
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    this.room(length);
    if (length > SHORT_COPY) this.buffer.set(bytes.subarray(from, to), this.end);
    else for (let index = 0; index < length; index++) this.buffer[this.end + index] = bytes[from + index] ?? 0;
    this.end += length;
  }

  integer(value: number): void {
    this.room(HEAD_BYTES);
    const { buffer } = this;
    if (value >= 0) {
      if (value < 0x40) buffer[this.end++] = value;
      else if (value < 0x100) this.#bytes1(0xcc, value);
      else if (value < 0x10000) this.#bytes2(0xcd, value);
      else if (value < 0x100000000) this.#bytes4(0xce, value);
      else this.float(value);
    } else if (value >= -0x20) buffer[this.end++] = value;
    else if (value >= -0x80) this.#bytes1(0xd0, value);
    else if (value >= -0x8000) this.#bytes2(0xd1, value);
    else if (value >= -0x80000000) this.#bytes4(0xd2, value);
    else this.float(value);
  }

  text(text: string): void {
    const { length } = text;
    this.room(length * 3 + HEAD_BYTES);
    if (length < SHORT_TEXT) {
      const { buffer } = this;
      const head = length < 32 ? 1 : 2;
      const at = this.end + head;
      let units = 0;
      for (let index = 0; index < length; index++) {
        const unit = text.charCodeAt(index);
        units |= unit;
        buffer[at + index] = unit;
      }
      if (units <= 0x7f) {
        if (head === 1) buffer[this.end] = 0xa0 + length;
        else {
          buffer[this.end] = 0xd9;
          buffer[this.end + 1] = length;
        }
        this.end = at + length;
        return;
      }
    }
    this.#longText(text);
  }

  binary(bytes: Uint8Array): void {
    const { length } = bytes;
    this.room(length + HEAD_BYTES);
    if (length < 0x100) this.#bytes1(0xc4, length);
    else if (length < 0x10000) this.#bytes2(0xc5, length);
    else this.#bytes4(0xc6, length);
    if (length >= LARGE_BYTES) this.#noteLarge(length);
    this.buffer.set(bytes, this.end);
    this.end += length;
  }

  extension(type: number, bytes: Uint8Array): void {
    const { length } = bytes;
    this.room(length + HEAD_BYTES);
    if (length === 1) this.buffer[this.end++] = 0xd4;
    else if (length < 0x100) this.#bytes1(0xc7, length);
    else this.#bytes4(0xc9, length);
    this.buffer[this.end++] = type;
    this.buffer.set(bytes, this.end);
    this.end += length;
  }

  #longText(text: string): void {
    const { length } = text;
    const head = length * 3 < 0x100 ? 2 : length * 3 < 0x10000 ? 3 : 5;
    const { written } = encoder.encodeInto(text, this.buffer.subarray(this.end + head));
    if (written !== length && LONE_SURROGATE.test(text)) return this.#text16(text);
    const at = this.end;
    if (head === 2) this.#bytes1(0xd9, written);
    else if (head === 3) this.#bytes2(0xda, written);
    else this.#bytes4(0xdb, written);
    if (written >= LARGE_BYTES) this.#noteLarge(written);
    this.end = at + head + written;
  }

  /** `length` bytes come here that may go out of band. */
  #noteLarge(length: number): void {
    (this.#large ??= []).push({ start: this.end - this.#start, length });
  }

  /** A text that UTF-8 can't carry. */
  #text16(text: string): void {
    const bytes = new Uint8Array(text.length * 2);
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index));
    this.extension(TEXT16, bytes);
  }

  float(value: number): void {
    this.room(HEAD_BYTES);
    this.buffer[this.end] = 0xcb;
    this.view.setFloat64(this.end + 1, value);
    this.end += 9;
  }

  /** All 64 bits of `value`, which has no more. */
  int64(value: bigint): void {
    this.room(HEAD_BYTES);
    this.buffer[this.end] = value > MAX_INT64 ? 0xcf : 0xd3;
    this.view.setBigInt64(this.end + 1, value);
    this.end += 9;
  }

  /** The head of a list or map: one byte where `length` is below `small`. */
  head(length: number, short: number, small: number, long: number): void {
    this.room(HEAD_BYTES);
    if (length < small) this.buffer[this.end++] = short + length;
    else if (length < 0x10000) this.#bytes2(long, length);
    else this.#bytes4(long + 1, length);
  }

  byte(value: number): void {
    this.room(1);
    this.buffer[this.end++] = value;
  }

  #bytes1(head: number, value: number): void {
    const { buffer, end } = this;
    buffer[end] = head;
    buffer[end + 1] = value;
    this.end = end + 2;
  }

  #bytes2(head: number, value: number): void {
    const { buffer, end } = this;
    buffer[end] = head;
    buffer[end + 1] = value >> 8;
    buffer[end + 2] = value;
    this.end = end + 3;
  }

  #bytes4(head: number, value: number): void {
    const { buffer, end } = this;
    buffer[end] = head;
    buffer[end + 1] = value >>> 24;
    buffer[end + 2] = value >>> 16;
    buffer[end + 3] = value >>> 8;
    buffer[end + 4] = value;
    this.end = end + 5;
  }

  /** Sees to it that there is room for `bytes`; the value that was begun may be elsewhere afterwards. */
  room(bytes: number): void {
    if (this.buffer.length - this.end < bytes) this.#grow(bytes);
  }

  /** Moves the value that was begun to where there is room for it; what stands before it stays where it is. */
  #grow(bytes: number): void {
    const length = this.end - this.#start;
    // Room for a text is for three times its length.
    const least = length + Math.floor(bytes / 3);
    if (length > this.limit || least > this.limit * 2) throw new OverLimitError(least);
    const size = Math.max(SLAB_BYTES, length * 2 + bytes);
    const larger = size > SLAB_BYTES ? this.#pool.take(size) : new Uint8Array(SLAB_BYTES);
    larger.set(this.buffer.subarray(this.#start, this.end));
    this.#use(larger);
    this.#start = 0;
    this.end = length;
  }

  #use(buffer: Uint8Array<ArrayBuffer>): void {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Any object is one: what it holds is unknown. */
function isRecord(value: object): value is Fields {
  return value !== null;
}
