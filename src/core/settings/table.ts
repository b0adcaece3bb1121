/** Tables of settings: what a row says of a key, and what is made of that: checks, defaults, a program's error or a file's. */

import { inspect, isRecord, unknownKey, withoutFields } from "../checks.ts";

interface About {
  /** One sentence: what it is and in which unit. An editor and the guide show it. */
  readonly about: string;
  /** What holds where there is no value to write: words. */
  readonly otherwise?: string;
  /** Another word for it, which users of other tools may write. */
  readonly alsoCalled?: string;
}

export interface NumberRow extends About {
  readonly is: "number";
  readonly unit?: "milliseconds" | "bytes";
  readonly whole?: true;
  readonly above?: number;
  readonly least?: number;
  readonly most?: number;
  readonly default?: number;
  /** A key of the same group that must not be less. */
  readonly upTo?: string;
  /** Where it is left out it adapts to that key. */
  readonly adapts?: true;
}

export interface FlagRow extends About {
  readonly is: "flag";
  readonly default?: boolean;
}

/** The name of a broker or module. */
export interface NameRow extends About {
  readonly is: "name";
}

export interface TextRow extends About {
  readonly is: "text";
  /** Such as "a path". */
  readonly what: string;
  readonly pattern?: RegExp;
  readonly default?: string;
}

export interface ChoiceRow<T extends string = string> extends About {
  readonly is: "choice";
  readonly of: Readonly<Record<T, true>>;
  readonly default?: T;
}

export interface ListRow extends About {
  readonly is: "list";
  /** Such as "names of modules". */
  readonly of: string;
  readonly each: string;
  /** Whether an item may be an empty text. */
  readonly mayBeEmpty?: true;
  readonly pattern?: RegExp;
}

/** Names of environment variables, or values by name. No error shows a value. */
export interface EnvRow extends About {
  readonly is: "env";
}

/** All of a kind, nothing of it, or what is named. */
export interface RightsRow extends About {
  readonly is: "rights";
  /** Such as "host". */
  readonly of: string;
}

/** An executable and its arguments, or the executable alone. */
export interface CommandRow extends About {
  readonly is: "command";
}

/** An object whose keys are the user's. */
export interface ObjectRow extends About {
  readonly is: "object";
  readonly what: string;
  /** What each of its values is. @default anything */
  readonly each?: RightsRow;
}

export interface GroupRow<G = Record<string, unknown>> extends About {
  readonly is: "group";
  readonly keys: string extends keyof G ? Table : Rows<G>;
  /** The key that a value alone stands for. */
  readonly short?: string;
  readonly default?: string;
}

/** An object whose keys are names of the user's, and whose values are groups. */
export interface MapRow<G = Record<string, unknown>> extends About {
  readonly is: "map";
  /** What the names are of, such as "commands". */
  readonly of: string;
  readonly keys: string extends keyof G ? Table : Rows<G>;
}

export interface AnythingRow extends About {
  readonly is: "anything";
}

/** What only a program can give. */
export interface OtherRow extends About {
  readonly is: "other";
  readonly what: string;
  holds(value: unknown): boolean;
}

export type Row =
  & (
    | NumberRow
    | FlagRow
    | NameRow
    | TextRow
    | ChoiceRow
    | ListRow
    | EnvRow
    | RightsRow
    | CommandRow
    | ObjectRow
    | GroupRow
    | MapRow
    | AnythingRow
    | OtherRow
  )
  & Needed;

interface Needed {
  readonly needed?: true;
}

export type Table = Readonly<Record<string, Row>>;

/** The table of an `S`: the compiler holds each row to the key's type, its choices and whether it may be left out. */
export type Rows<S> = {
  readonly [K in keyof S]-?:
    & RowOf<Exclude<S[K], undefined>>
    & (Record<never, never> extends Pick<S, K> ? { readonly needed?: never } : { readonly needed: true });
};

type RowOf<T> = unknown extends T ? AnythingRow
  : [T] extends [boolean] ? FlagRow
  : [T] extends [number] ? NumberRow
  : [T] extends [string] ? string extends T ? NameRow | TextRow : ChoiceRow<T>
  : [T] extends [readonly string[]] ? ListRow
  : [T] extends [readonly string[] | string] ? CommandRow
  : [T] extends [readonly string[] | boolean] ? RightsRow
  : [T] extends [readonly string[] | Readonly<Record<string, string | true>>] ? EnvRow
  : string extends keyof T ? unknown extends T[string] ? ObjectRow
    : [T[string]] extends [readonly string[] | boolean] ? ObjectRow
    : MapRow<T[string]>
  : [Extract<T, string>] extends [never] ? GroupRow<T> & { readonly short?: never }
  : GroupRow<Exclude<T, string>> & { readonly short: keyof Exclude<T, string> };

/** An `S` with the defaults of its table; null where there is none. */
export type Filled<S, R> = {
  readonly [K in keyof S & keyof R]-?: R[K] extends { readonly keys: infer G }
    ? Filled<Exclude<S[K], string | undefined>, G>
    : R[K] extends { readonly default: unknown } ? Exclude<S[K], undefined>
    : Exclude<S[K], undefined> | null;
};

/** `settings` over the defaults of their table. */
export function filled<S, R extends Table>(rows: R, settings: S): Filled<S, R>;
export function filled(rows: Table, settings: unknown): object {
  const given: Readonly<Record<string, unknown>> = isRecord(settings) ? settings : {};
  return Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, valueOf(row, given[key])]));
}

function valueOf(row: Row, given: unknown): unknown {
  if (row.is !== "group") return given ?? ("default" in row ? row.default : null);
  return filled(row.keys, isRecord(given) || row.short === undefined ? given : { [row.short]: given });
}

/** Keys from the outside. */
export type KeyPath = readonly (string | number)[];

export interface Wrong {
  readonly path: KeyPath;
  /** What it is: the value there, the key itself, or the object as a whole. */
  readonly part: "value" | "key" | "object";
  /** What follows the name of the place. */
  readonly text: string;
}

/** How an error is worded. */
export interface Manner {
  /** Whether each item of a list has a place of its own, as in a file. */
  readonly items: boolean;
  readonly units: boolean;
  quote(value: unknown): string;
}

export const IN_PROGRAM: Manner = { items: false, units: false, quote: inspect };
export const IN_FILE: Manner = { items: true, units: true, quote: inspect };

/** What is wrong with an object of settings; all of it. */
export function* wrongIn(rows: Table, value: unknown, manner: Manner, path: KeyPath = []): Generator<Wrong> {
  if (!isRecord(value)) return yield must(path, "an object", value);
  const other = withoutFields(value);
  if (other !== null) {
    return yield { path, part: "object", text: `a plain object is needed, and it is ${other}` };
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(rows, key)) continue;
    const [meant] = Object.entries(rows).find(([, { alsoCalled }]) => alsoCalled === key) ?? [];
    yield { path: [...path, key], part: "key", text: unknownKey(key, Object.keys(rows), meant) };
  }
  for (const [key, row] of Object.entries(rows)) {
    const part = value[key];
    if (part !== undefined) yield* wrongWith(row, part, manner, [...path, key]);
    else if (row.needed) yield { path: [...path, key], part: "value", text: "is missing, add it" };
    const contradiction = contradictionOf(rows, value, key);
    if (contradiction !== null) yield { path: [...path, contradiction.key], part: "value", text: contradiction.text };
  }
}

/** Where number `key` is above the one that it must not exceed: which of the two is written, and what it must be. */
function contradictionOf(rows: Table, values: Readonly<Record<string, unknown>>, key: string) {
  const row = rows[key];
  const part = values[key];
  if (row?.is !== "number" || row.upTo === undefined || (part === undefined && row.adapts)) return null;
  const upper = row.upTo;
  const { [key]: low, [upper]: high } = filled(rows, values);
  if (typeof low !== "number" || typeof high !== "number" || low <= high) return null;
  const shown = (name: string, value: number) => `${name} (${value}${name in values ? "" : " by default"})`;
  return part === undefined
    ? { key: upper, text: `must be at least ${shown(key, low)}, and it is ${high}` }
    : { key, text: `must be at most ${shown(upper, high)}, and it is ${low}` };
}

function must(path: KeyPath, what: string, value: unknown, { quote }: Pick<Manner, "quote"> = IN_PROGRAM): Wrong {
  return { path, part: "value", text: `must be ${what}, and it is ${quote(value)}` };
}

function* wrongWith(row: Row, value: unknown, manner: Manner, path: KeyPath): Generator<Wrong> {
  const wrong = (what: string) => must(path, what, value, manner);
  switch (row.is) {
    case "group":
      return yield* wrongWithGroup(row, value, manner, path);
    case "map": {
      if (!isRecord(value) || withoutFields(value) !== null) return yield wrong(`an object of ${row.of} by name`);
      for (const [name, part] of Object.entries(value)) yield* wrongIn(row.keys, part, manner, [...path, name]);
      return;
    }
    case "list":
      return yield* wrongWithList(value, manner, {
        path,
        what: `a list of ${row.of}`,
        each: row.each,
        isItem: (item) => (row.mayBeEmpty ? isArgument : isText)(item) && row.pattern?.test(String(item)) !== false,
      });
    case "env":
      return yield* wrongWithEnv(value, path);
    case "rights":
      return yield* wrongWithRights(row, value, manner, path);
    case "object":
      if (!isRecord(value)) return yield wrong(row.what);
      for (const [key, part] of Object.entries(row.each === undefined ? {} : value)) {
        if (row.each !== undefined) yield* wrongWith(row.each, part, manner, [...path, key]);
      }
      return;
    case "command": {
      const each = "a text without NUL";
      if (typeof value === "string" && isText(value)) return;
      if (!Array.isArray(value) || value.length === 0 || value[0] === "") return yield wrong(COMMAND);
      return yield* wrongWithList(value, manner, { path, what: COMMAND, each, isItem: isArgument });
    }
    default: {
      const what = shouldBe(row, value, manner);
      if (what !== null) yield wrong(what);
    }
  }
}

const COMMAND = "an executable, or a list of it and its arguments";

function* wrongWithGroup({ keys, short }: GroupRow, value: unknown, manner: Manner, path: KeyPath): Generator<Wrong> {
  const alone = short === undefined ? undefined : keys[short];
  if (alone === undefined || isRecord(value)) return yield* wrongIn(keys, value, manner, path);
  if (typeof value === "string" || (manner.items && !Array.isArray(value))) {
    return yield* wrongWith(alone, value, manner, path);
  }
  const choices = alone.is === "choice" && !manner.items ? `${quoted(alone).join(", ")} or ` : "";
  yield must(path, `${choices}an object`, value, manner);
}

interface List {
  readonly path: KeyPath;
  readonly what: string;
  readonly each: string;
  isItem(value: unknown): boolean;
}

function* wrongWithList(value: unknown, manner: Manner, { path, what, each, isItem }: List): Generator<Wrong> {
  if (!Array.isArray(value)) return yield must(path, what, value, manner);
  for (const [index, item] of value.entries()) {
    if (isItem(item)) continue;
    if (!manner.items) return yield must(path, what, value, manner);
    yield must([...path, index], each, item, manner);
  }
}

const ENV_NAME = "the name of an environment variable";

/** The values may be secrets: of a wrong one only its kind is said. */
function* wrongWithEnv(value: unknown, path: KeyPath): Generator<Wrong> {
  const must = (at: KeyPath, what: string, is: string): Wrong => {
    return { path: at, part: "value", text: `must be ${what}, and it ${is}` };
  };
  if (Array.isArray(value)) {
    for (const [index, name] of value.entries()) {
      if (isEnvName(name)) continue;
      const isPair = typeof name === "string" && name.includes("=");
      yield must(
        [...path, index],
        ENV_NAME,
        isPair ? 'has "=" in it: write values as { "NAME": "value" }' : `is ${kindOf(name)}`,
      );
    }
  } else if (!isRecord(value) || withoutFields(value) !== null) {
    yield must(path, "a list of names of environment variables, or an object of values by name", `is ${kindOf(value)}`);
  } else {
    for (const [name, of] of Object.entries(value)) {
      if (!isEnvName(name)) yield must([...path, name], "under " + ENV_NAME, `is under ${inspect(name)}`);
      else if (of !== true && !isArgument(of)) {
        yield must([...path, name], "a text without NUL, or true", `is ${kindOf(of)}`);
      }
    }
  }
}

function isEnvName(name: unknown): boolean {
  return typeof name === "string" && isText(name) && !name.includes("=");
}

function kindOf(value: unknown): string {
  if (value === "") return "empty";
  if (typeof value === "string") return value.includes("\0") ? "a text with NUL" : "a text";
  return typeof value === "number" || typeof value === "boolean" ? `a ${typeof value}` : inspect(value);
}

function* wrongWithRights({ of }: RightsRow, value: unknown, manner: Manner, path: KeyPath): Generator<Wrong> {
  if (typeof value === "boolean") return;
  const what = `true, false or a list of ${manner.items ? `${of}s` : "texts without commas"}`;
  if (manner.items || !Array.isArray(value)) {
    return yield* wrongWithList(value, manner, { path, what, each: `a ${of} without commas`, isItem: isRight });
  }
  const stranger = value.findIndex((item) => !isRight(item));
  if (stranger === -1) return;
  yield { path, part: "value", text: `must be ${what}, and it has ${manner.quote(value[stranger])}` };
}

type PlainRow = Exclude<Row, { readonly is: "group" | "map" | "env" | "list" | "rights" | "command" | "object" }>;

/** What `value` should be, or null where it is that. */
function shouldBe(row: PlainRow, value: unknown, manner: Manner): string | null {
  switch (row.is) {
    case "anything":
      return null;
    case "flag":
      return typeof value === "boolean" ? null : "true or false";
    case "name":
      return isName(value) ? null : NAME_RULE;
    case "text":
      return isText(value) && row.pattern?.test(String(value)) !== false ? null : row.what;
    case "other":
      return row.holds(value) ? null : row.what;
    case "choice":
      return typeof value === "string" && Object.hasOwn(row.of, value) ? null : choicesText(row, manner);
    case "number":
      return isWithin(row, value) ? null : numberText(row, manner);
  }
}

function isWithin(
  { whole, above = -Infinity, least = -Infinity, most = Infinity }: NumberRow,
  value: unknown,
): boolean {
  if (typeof value !== "number" || !Number.isFinite(value) || (whole && !Number.isSafeInteger(value))) return false;
  return value > above && value >= least && value <= most;
}

function numberText({ unit, whole, above, least = 0, most }: NumberRow, { units }: Manner): string {
  if (whole) return `a whole number of at least ${least}`;
  if (most !== undefined) return `a number from ${least} to ${most}`;
  if (above === undefined) return `a number of at least ${least}`;
  return `a number ${unit !== undefined && units ? `of ${unit} ` : ""}above ${above}`;
}

function choicesText(row: ChoiceRow, { items }: Manner): string {
  const all = quoted(row);
  if (items) return `one of ${all.join(", ")}`;
  return all.length === 1 ? all.join() : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

function quoted({ of }: ChoiceRow): string[] {
  return Object.keys(of).map((choice) => JSON.stringify(choice));
}

export const NAME_RULE = "1 to 64 of the characters A-Z a-z 0-9 . _ -";
export const NAME_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;

export function isName(value: unknown): value is string {
  return typeof value === "string" && NAME_PATTERN.test(value);
}

/** @throws {TypeError} */
export function checkName(what: string, name: unknown): string {
  if (isName(name)) return name;
  throw new TypeError(`${what} must be ${NAME_RULE}, and it is ${inspect(name)}`);
}

function isText(value: unknown): boolean {
  return isArgument(value) && value !== "";
}

function isArgument(value: unknown): boolean {
  return typeof value === "string" && !value.includes("\0");
}

/** Whether a right of that name can be handed on: a comma would make two of it. */
function isRight(value: unknown): boolean {
  return typeof value === "string" && isText(value) && !value.includes(",");
}

/** What names the place of a setting: `Module "sla": `, or `Option ` before its name. @throws {TypeError} */
export function checkTable(place: string, rows: Table, value: unknown, manner: Manner = IN_PROGRAM): void {
  for (const { path, part, text } of wrongIn(rows, value, manner)) {
    const key = (part === "key" ? path.slice(0, -1) : path).join(".");
    const named = key === "" ? place.replace(/: $/, "") : `${place}${key}`;
    throw new TypeError(part === "value" ? `${named} ${text}` : `${named}: ${text}`);
  }
}
