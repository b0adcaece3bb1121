/**
 * Values as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), with repeated shapes of objects as one byte.
 * An integer from 64 to 127 is therefore written with the byte `cc` before it.
 *
 * @module
 */

import { ByteWriter } from "./byte_writer.ts";
import { BIGINT, TIMESTAMP, UNDEFINED } from "./compact_format.ts";
import { formOf } from "./json_text.ts";
import { OverLimitError } from "./limits.ts";
import { isBoxed, isBytes, isDate, refuseLossy } from "./lossy.ts";
import { isPlain } from "./shape_code.ts";
import type { Shapes } from "./shapes.ts";
import type { SpareMemory } from "./spare_memory.ts";

/** Nested deeper than this, a value is looked at more closely before it is written. */
const CALM_DEPTH = 64;

/** What is written may be cyclic or too deep, which takes a longer look to tell. */
class TooDeep extends Error {}

/** A value is refused; the path is found by a second look. */
class Refusal extends Error {}

export class CompactWriter extends ByteWriter {
  readonly #shapes: Shapes;
  #depth = 0;
  #maxDepth = CALM_DEPTH;

  constructor(shapes: Shapes, memory?: SpareMemory) {
    super(memory);
    this.#shapes = shapes;
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
    else if (isPlain(value) && isRecord(value)) this.#keyed(value, Object.keys(value));
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
    // A form is not asked for its own form.
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
}

type Fields = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();
const ZERO = Uint8Array.of(0);

/** Any object is one: what it holds is unknown. */
function isRecord(value: object): value is Fields {
  return value !== null;
}
