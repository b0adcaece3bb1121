/** The types of an event's fields: how each is checked where another process reports it, printed in a line and read again. */

import { formatDuration, formatTimeout, parseSeconds } from "../duration.ts";
import { type Check, isNumber, isText, oneOf, orNull } from "../checks.ts";
import { escapeName, escapeText } from "./escape.ts";

/** A field that no line shows. */
export interface HiddenField<T> {
  readonly check: Check<T>;
  /** All values that it may have. */
  readonly choices?: readonly string[];
}

/** A field that stands in a template. */
export interface FieldType<T> extends HiddenField<T> {
  /** What the line shows, safe from forging a part of it. */
  print(value: T): string;
  /** The value of a printed one, without its unit; undefined where the text is none. */
  read(text: string): T | undefined;
  /** What every printed one ends with. */
  readonly unit?: string;
  /** Stands for it in docs/log-lines.md. @default the field's name in capitals */
  readonly shown?: string;
}

/** A field that the level in a line's prefix says. */
export interface LevelField<T> extends HiddenField<T> {
  readonly isLevel: true;
}

/** A field in the table of events. */
export type Field<T> = HiddenField<T> | FieldType<T> | LevelField<T>;

/** What stands in brackets or between fixed words. */
export const name: FieldType<string> = { check: isText, print: escapeName, read: same };

/** The name of the module or worker that the event is about. */
export const process: FieldType<string> = { ...name, shown: "NAME" };

/** The name of the module or worker that is called. */
export const target: FieldType<string> = { ...name, shown: "MODULE" };

/** A name that may be unknown: then the event's second template is printed, which leaves it out. */
export const nameIfKnown: FieldType<string | null> = {
  check: orNull(isText),
  print: (value) => escapeName(value ?? ""),
  read: same,
};

/** A name, or `none`. */
export const nameOrNone: FieldType<string | null> = {
  check: orNull(isText),
  print: (value) => escapeName(value ?? "none"),
  read: (text) => text === "none" ? null : text,
};

/** Free text, which mostly ends the line. */
export const text: FieldType<string> = { check: isText, print: escapeText, read: same };

/** A measured time in milliseconds: `0.143s`. */
export const duration: FieldType<number> = {
  check: isNumber,
  print: formatDuration,
  read: parseSeconds,
  unit: "s",
  shown: "SECONDS",
};

/** A configured time in milliseconds, as the shortest decimal: `0.5s`. */
export const timeout: FieldType<number> = {
  check: isNumber,
  print: formatTimeout,
  read: parseSeconds,
  unit: "s",
  shown: "TIME",
};

export const count: FieldType<number> = { check: isNumber, print: String, read: Number, shown: "N" };

/** A number, or `none`. */
export const countOrNone: FieldType<number | null> = {
  check: orNull(isNumber),
  print: (value) => String(value ?? "none"),
  read: numberOrNull,
};

/** The system's number of a process. */
export const pid: FieldType<number> = { ...count, shown: "PID" };

export const pidOrNone: FieldType<number | null> = { ...countOrNone, shown: "PID" };

/** Bytes, printed in MiB with one decimal, so what is read is right to that. */
export const mebibytes: FieldType<number> = {
  check: isNumber,
  print: formatMebibytes,
  read: (text) => Math.round(Number(text) * 1_048_576),
  unit: " MiB",
  shown: "SIZE",
};

/** One of a few values, each printed as its phrase. */
export function phrase<const Value extends string>(phrases: Readonly<Record<Value, string>>): FieldType<Value> {
  const values = keysOf(phrases);
  return {
    check: oneOf(...values),
    print: (value) => phrases[value],
    read: (text) => values.find((value) => phrases[value] === text),
    choices: values,
  };
}

/** True or false, each printed as its phrase. */
export function either(whenTrue: string, whenFalse: string): FieldType<boolean> {
  return {
    check: (value) => typeof value === "boolean",
    print: (value) => value ? whenTrue : whenFalse,
    read: (text) => text === whenTrue ? true : text === whenFalse ? false : undefined,
    shown: `${whenFalse} or ${whenTrue}`,
  };
}

/** A field that stands in no line. */
export function hidden<T>(check: Check<T>): HiddenField<T> {
  return { check };
}

/** One of a few values, in no line. */
export function hiddenChoice<const Value extends string>(...choices: readonly Value[]): HiddenField<Value> {
  return { check: oneOf(...choices), choices };
}

export function level<T>(check: Check<T>): LevelField<T> {
  return { check, isLevel: true };
}

export function formatMebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** `none` and `unknown` are null. */
export function numberOrNull(text: string): number | null {
  return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
}

function same(text: string): string {
  return text;
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  const isKey = (key: string): key is Key => Object.hasOwn(record, key);
  return Object.keys(record).filter(isKey);
}
