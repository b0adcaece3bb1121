/**
 * Checks of fields that another process sent. Each names a type, and the compiler holds a table of them to the type that it stands for.
 *
 * @module
 */

import { isRecord } from "./inspect.ts";

export type Check<T> = (value: unknown) => value is T;

/** A check for each field of `F`; that of an optional one takes undefined too. */
export type FieldChecks<F> = {
  readonly [K in keyof F]-?: Check<undefined extends F[K] ? F[K] | undefined : F[K]>;
};

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A number that every runtime can print: JSON also has `1e999`. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function isAnything(_value: unknown): _value is unknown {
  return true;
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

export function oneOf<const T extends string>(...values: readonly T[]): Check<T> {
  return (value): value is T => values.some((other) => other === value);
}

/** @param most how many entries a list may have; as many as a frame holds where it is left out. */
export function listOf<T>(check: Check<T>, most = Infinity): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.length <= most && value.every(check);
}

export function objectOf<F>(checks: FieldChecks<F>): Check<F> {
  return (value): value is F & Readonly<Record<string, unknown>> =>
    isRecord(value) && wrongField(value, checks) === null;
}

/** The first field of `value` that is not what `checks` want, or null. */
export function wrongField<F>(value: Readonly<Record<string, unknown>>, checks: FieldChecks<F>): string | null {
  for (const key in checks) if (!checks[key](Object.hasOwn(value, key) ? value[key] : undefined)) return key;
  return null;
}

/** The fields of an `F` that another process sent, each with its check and with what stands for one that is missing or wrong. */
export class FieldSet<F extends object> {
  readonly #fields: { readonly [K in keyof F]-?: readonly [check: FieldChecks<F>[K], otherwise?: F[K]] };

  /** @param fields in the order in which they are written. One that may be left out needs nothing that stands for it. */
  constructor(fields: { readonly [K in keyof F]-?: readonly [check: FieldChecks<F>[K], otherwise?: F[K]] }) {
    this.#fields = fields;
  }

  /** What `source` has of the fields, and nothing else. */
  read(source: unknown): F {
    const found: Record<string, unknown> = {};
    for (const key in this.#fields) {
      const [check, otherwise]: readonly [(value: unknown) => boolean, unknown?] = this.#fields[key];
      const value = ownField(source, key);
      const right = check(value) ? value : otherwise;
      if (right !== undefined) found[key] = right;
    }
    if (this.isWhole(found)) return found;
    throw new TypeError("a field that must be there has nothing that stands for it");
  }

  /** What `value` has of the fields, and nothing else. */
  pick(value: object): object {
    const picked: Record<string, unknown> = {};
    for (const key in this.#fields) {
      const field = ownField(value, key);
      if (field !== undefined) picked[key] = field;
    }
    return picked;
  }

  /** Whether each field of `value` is what it must be. */
  isWhole(value: unknown): value is F & Readonly<Record<string, unknown>> {
    return isRecord(value) && this.wrongField(value) === null;
  }

  /** The first field of `value` that is not what it must be, or null. */
  wrongField(value: object): string | null {
    for (const key in this.#fields) if (!this.#fields[key][0](ownField(value, key))) return key;
    return null;
  }
}

/** Wire input is never asked for what it inherits. */
function ownField(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
