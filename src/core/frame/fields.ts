/**
 * Objects that cross processes, as one table of fields each: both sides write and read by it, so that no field can be forgotten on
 * one of them.
 *
 * @module
 */

import { BodyError } from "./body_error.ts";
import { jsonText } from "./json_text.ts";

/** One field of such an object. */
export interface Field<V> {
  /** Whether what came is one. */
  readonly is: (value: unknown) => value is V;
  /** What stands for a value that is missing or wrong, undefined for none. Without it the object is refused. */
  readonly otherwise?: V | undefined;
}

/** A field of each key of `T`: the compiler asks for all of them. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** The fields of a `T`, in the order they are written. */
export class FieldTable<T extends object> {
  readonly #fields: readonly (readonly [key: string, field: Field<unknown>])[];
  readonly keys: readonly string[];

  constructor(fields: Fields<T>) {
    this.#fields = Object.entries<Field<unknown>>(fields);
    this.keys = this.#fields.map(([key]) => key);
  }

  /**
   * What `source` has of the fields, and nothing else.
   *
   * @param what names the object, for the error's text. @throws {BodyError} where it lacks a field.
   */
  read(source: unknown, what: string): T {
    const read: Record<string, unknown> = {};
    for (const [key, { is, ...field }] of this.#fields) {
      const value = own(source, key);
      if (is(value)) read[key] = value;
      else if (!("otherwise" in field)) throw this.#refusal(source, what);
      else if (field.otherwise !== undefined) read[key] = field.otherwise;
    }
    if (this.#isWhole(read)) return read;
    throw this.#refusal(source, what);
  }

  /** The JSON text of the fields of `record`. */
  write(record: T): string {
    const written: Record<string, unknown> = {};
    for (const key of this.keys) written[key] = own(record, key);
    return jsonText(written) ?? "";
  }

  #isWhole(read: object): read is T {
    return this.#fields.every(([key, field]) => "otherwise" in field || field.is(own(read, key)));
  }

  #refusal(source: unknown, what: string): BodyError {
    const required = this.#fields.filter(([, field]) => !("otherwise" in field));
    const missing = required.filter(([key]) => own(source, key) === undefined).map(([key]) => key);
    if (missing.length > 0) return new BodyError(`${what} without ${missing.join(", ")}`);
    const wrong = required.filter(([key, { is }]) => !is(own(source, key))).map(([key]) => key);
    return new BodyError(`${what} with a wrong ${wrong.join(", ")}`);
  }
}

/** Wire input is never asked for what it inherits. */
function own(source: unknown, key: string): unknown {
  return typeof source === "object" && source !== null && Object.hasOwn(source, key)
    ? Reflect.get(source, key)
    : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

export function isAnything(_value: unknown): _value is unknown {
  return true;
}

export function orNull<V>(is: (value: unknown) => value is V): (value: unknown) => value is V | null {
  return (value) => value === null || is(value);
}

export function oneOf<const V extends string>(...values: readonly V[]): (value: unknown) => value is V {
  return (value): value is V => values.some((candidate) => candidate === value);
}
