/**
 * Checks of fields that another process sent. Each names a type, and the compiler holds a table of them to the type that it stands for.
 *
 * @module
 */

import { isRecord } from "./is_record.ts";

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
