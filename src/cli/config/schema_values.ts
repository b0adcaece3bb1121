/**
 * What the keys of a configuration are made of. Each message completes "… must be".
 *
 * @module
 */

import * as v from "valibot";
import { isPermissionName } from "../../core/module/permissions.ts";

const NAME = "1 to 64 of the characters A-Z a-z 0-9 . _ -";
const MILLISECONDS = "a number of milliseconds above 0";
const BYTES = "a number of bytes above 0";

export const name = v.pipe(v.string(NAME), v.regex(/^[A-Za-z0-9._-]{1,64}$/, NAME));
export const flag = v.boolean("true or false");
export const milliseconds = above(MILLISECONDS);
export const bytes = above(BYTES);

function above(text: string) {
  return v.pipe(v.number(text), v.finite(text), v.gtValue(0, text));
}

export function count(least: number) {
  const text = `a whole number of at least ${least}`;
  return v.pipe(
    v.number(text),
    v.integer(text),
    v.minValue(least, text),
    v.check((value) => value <= Number.MAX_SAFE_INTEGER, text),
  );
}

export function number(least: number) {
  const text = `a number of at least ${least}`;
  return v.pipe(v.number(text), v.finite(text), v.minValue(least, text));
}

export function share() {
  const text = "a number from 0 to 1";
  return v.pipe(v.number(text), v.minValue(0, text), v.maxValue(1, text));
}

export function text(what: string) {
  return v.pipe(v.string(what), v.nonEmpty(what), v.check((value) => !value.includes("\0"), what));
}

export function list<S extends v.GenericSchema>(item: S, what: string) {
  return v.array(item, what);
}

export function oneOf<const T extends readonly string[]>(choices: T) {
  return v.picklist(choices, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
}

export function group<const E extends v.ObjectEntries>(entries: E) {
  return v.object(entries, "an object");
}

/** `short` where no object is written. */
export function shortOr<S extends v.GenericSchema, O extends v.GenericSchema>(short: S, long: O) {
  return v.lazy<S | O>((value) => typeof value === "object" && value !== null ? long : short);
}

/** All of a kind of right, nothing of it, or what is named. */
export function rights(what: string) {
  const one = `a ${what} without commas`;
  const item = v.pipe(v.string(one), v.nonEmpty(one), v.check((value) => isPermissionName(value), one));
  return shortOr(v.boolean(`true, false or a list of ${what}s`), list(item, `true, false or a list of ${what}s`));
}

/** What an editor and the guide say of a key. */
export interface About {
  /** What holds where the key is left out: a value, or words where it is none. */
  readonly default?: string | number | boolean;
  /** The default is no value but these words. */
  readonly otherwise?: string;
}

/** A key that may be left out. The text says what it is and its unit. */
export function key<S extends v.GenericSchema>(schema: S, description: string, about: About = {}) {
  return v.exactOptional(needed(schema, description, about));
}

/** A key that must be there. */
export function needed<S extends v.GenericSchema>(schema: S, description: string, about: About = {}) {
  return v.pipe(schema, v.description(description), v.metadata({ ...about }));
}
