/**
 * Objects that cross processes, as one table of fields each: both sides write and read by it, so that no field can be forgotten on
 * one of them.
 *
 * @module
 */

import { type FieldChecks, wrongField } from "../field_checks.ts";
import { BodyError } from "./body_error.ts";
import { jsonText } from "./json_text.ts";

/** What stands for a field that is missing or wrong; undefined leaves it out. */
export type Defaults<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The fields of a `T`, of one kind or of several that are told apart by one of them. */
export interface Fields<T> {
  read(source: unknown, what: string): T;
  pick(record: T): Readonly<Record<string, unknown>>;
}

/** The fields of a `T`, in the order they are written. */
export class FieldTable<T extends object> implements Fields<T> {
  readonly #checks: FieldChecks<T>;
  readonly #checkOf: ReadonlyMap<string, (value: unknown) => boolean>;
  readonly #defaults: ReadonlyMap<string, unknown>;
  readonly keys: readonly string[];

  /** @param defaults a wrong field that has none is refused, and so is a missing one, where it is not optional. */
  constructor(checks: FieldChecks<T>, defaults: Defaults<NoInfer<T>> = {}) {
    this.#checks = checks;
    this.#checkOf = new Map<string, (value: unknown) => boolean>(Object.entries(checks));
    this.#defaults = new Map<string, unknown>(Object.entries(defaults));
    this.keys = Object.keys(checks);
  }

  /**
   * What `source` has of the fields, and nothing else.
   *
   * @param what names the object, for the error's text. @throws {BodyError} where a field is not what it must be.
   */
  read(source: unknown, what: string): T {
    const read = fieldsOf(source, this.keys);
    for (const [key, value] of this.#defaults) if (!this.#isRight(key, read[key])) put(read, key, value);
    if (this.#isWhole(read)) return read;
    const wrong = wrongField(read, this.#checks) ?? "";
    throw new BodyError(`${what} ${wrong in read ? "with a wrong" : "without"} ${wrong}`);
  }

  /** The fields of `record`, and nothing else. */
  pick(record: T): Readonly<Record<string, unknown>> {
    return fieldsOf(record, this.keys);
  }

  /** The same as JSON. */
  write(record: T): string {
    return jsonText(this.pick(record)) ?? "";
  }

  #isRight(key: string, value: unknown): boolean {
    return this.#checkOf.get(key)?.(value) === true;
  }

  #isWhole(read: Readonly<Record<string, unknown>>): read is T & Readonly<Record<string, unknown>> {
    return wrongField(read, this.#checks) === null;
  }
}

/** Wire input is never asked for what it inherits. */
function fieldsOf(source: unknown, keys: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (typeof source !== "object" || source === null) return fields;
  for (const key of keys) {
    put(fields, key, Object.hasOwn(source, key) ? Reflect.get(source, key) : undefined);
  }
  return fields;
}

/** Undefined leaves the field out, as JSON does. */
function put(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (value !== undefined) fields[key] = value;
  else delete fields[key];
}
