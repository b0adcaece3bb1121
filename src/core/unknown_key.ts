/**
 * Keys that nothing has: told with the one that was probably meant, wherever they stand.
 *
 * @module
 */

import { withoutFields } from "./is_record.ts";
import { nearest } from "./nearest.ts";

/** The keys that a `T` may have; the compiler asks for each. */
export function keysOf<T>(keys: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(keys);
}

/** What is wrong with `key`, and what to write in its place. */
export function unknownKey(key: string, known: readonly string[], similar = nearest(key, known)): string {
  const hint = similar === null ? `known are ${known.join(", ")}` : `did you mean "${similar}"`;
  return `unknown key ${JSON.stringify(key)}: ${hint}`;
}

/** @throws {TypeError} where `value` has a key that is not `known`, or no keys as a Map has none. */
export function refuseUnknown(at: string, value: object, known: readonly string[]): void {
  const other = withoutFields(value);
  if (other !== null) throw new TypeError(`${at}: a plain object is needed, and it is ${other}`);
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined) throw new TypeError(`${at}: ${unknownKey(stranger, known)}`);
}
