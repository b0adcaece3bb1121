/**
 * Looking at values from outside: what they are in the words of an error message, which known name a wrong one was meant to be, and
 * whether the fields that another process sent are what they must be.
 */

/** A value as an error message quotes it. */
export function inspect(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}\u2026` : value);
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

/** The name of a module that a program gives as itself or by its name. @throws {TypeError} for anything else. */
export function moduleNameOf(target: unknown): string {
  if (typeof target === "string") return target;
  if (isRecord(target) && typeof target.name === "string") return target.name;
  throw new TypeError(`Cannot find a module: it must be a module or its name, and it is ${inspect(target)}`);
}

/** What `fn` returns, or undefined where it throws: for what may be missing, or be in no state to be looked at. */
export function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch {
    return undefined;
  }
}

/** The first `length` characters and an ellipsis, or `text` itself where it is not longer. Never half a surrogate pair. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length) + "\u2026";
}

/** Whether `value` is an object with fields, and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What `value` is, where all that it holds is hidden from a look at its fields: a Map, or an instance whose methods are its class's.
 * Null where its fields are all there is, or it has some at least.
 */
export function withoutFields(value: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  // That of a plain object of any realm inherits nothing.
  if (prototype === null || typeof prototype !== "object" || Object.getPrototypeOf(prototype) === null) return null;
  if (Object.keys(value).length > 0) return null;
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (tag !== "Object") return `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}`;
  const { constructor: made }: { constructor?: unknown } = value;
  return typeof made === "function" && made.name !== "" ? `an instance of ${made.name}` : "an object of a class";
}

/** The candidate with the fewest edits, if that is few enough to be a typing error; else null. */
export function closestMatch(name: string, candidates: Iterable<string>): string | null {
  const most = Math.max(1, Math.floor(name.length / 3));
  let best: string | null = null;
  let bestEdits = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most || name.length > 64) continue;
    const count = edits(name.toLowerCase(), candidate.toLowerCase());
    if (count < bestEdits) {
      best = candidate;
      bestEdits = count;
    }
  }
  return best;
}

/** The fields that are not undefined, for an object in which one may be missing only. */
export function defined<T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> };
export function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The keys that a `T` may have; the compiler asks for each. */
export function keysOf<T>(keys: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(keys);
}

/** What is wrong with `key`, and what to write in its place. */
export function unknownKey(key: string, known: readonly string[], similar?: string): string {
  return unknownName("key", key, known, similar);
}

/** The same for a name of another kind. */
export function unknownName(
  kind: string,
  name: string,
  known: readonly string[],
  similar = closestMatch(name, known),
): string {
  const hint = similar === null ? `known are ${known.join(", ")}` : `did you mean "${similar}"`;
  return `unknown ${kind} ${JSON.stringify(name)}: ${hint}`;
}

/** @throws {TypeError} where `value` has a key that is not `known`, or no keys as a Map has none. */
export function refuseUnknown(at: string, value: object, known: readonly string[]): void {
  const other = withoutFields(value);
  if (other !== null) throw new TypeError(`${at}: a plain object is needed, and it is ${other}`);
  // Each call's options come here.
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new TypeError(`${at}: ${unknownKey(key, known)}`);
  }
}

/** Edits of one character, or of two neighbours that changed places: Damerau-Levenshtein on aligned text. */
function edits(from: string, to: string): number {
  let older: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, (older[j - 2] ?? 0) + 1);
      }
      next.push(least);
    }
    older = row;
    row = next;
  }
  return row[to.length] ?? 0;
}

/** A check names a type, and the compiler holds a table of them to the type that it stands for. */
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

export function recordOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isRecord(value) && Object.values(value).every(check);
}

export function objectOf<F>(checks: FieldChecks<F>): Check<F> {
  const fields = Object.entries<Check<unknown>>(checks);
  return (value): value is F & Readonly<Record<string, unknown>> =>
    isRecord(value) && fields.every(([key, check]) => check(ownField(value, key)));
}

/** A check for each field of a message; with what stands for one that is missing or wrong, where something does. */
export type FieldTable = Readonly<
  Record<string, Check<unknown> | readonly [check: Check<unknown>, otherwise: unknown]>
>;

/** What a table describes. Its comments are those of the fields. */
export type FieldsOf<T> =
  & { readonly [K in keyof T as MayBeMissing<FieldOf<T[K]>> extends true ? never : K]: FieldOf<T[K]> }
  & {
    readonly [K in keyof T as MayBeMissing<FieldOf<T[K]>> extends true ? K : never]?: Exclude<FieldOf<T[K]>, undefined>;
  };

type FieldOf<C> = C extends Check<infer T> ? T : C extends readonly [Check<infer T>, unknown] ? T : never;
type MayBeMissing<T> = unknown extends T ? false : undefined extends T ? true : false;

/** The fields of an `F` that another process sent. */
export class FieldSet<F extends object> {
  readonly #fields: readonly (readonly [key: string, check: Check<unknown>, otherwise: unknown])[];

  /** @param fields in the order in which they are written. */
  constructor(
    fields: { readonly [K in keyof F]-?: FieldChecks<F>[K] | readonly [check: FieldChecks<F>[K], otherwise: F[K]] },
  ) {
    const table: FieldTable = fields;
    this.#fields = Object.entries(table).map(([key, field]) =>
      typeof field === "function" ? [key, field, undefined] : [key, ...field]
    );
  }

  /** What `source` has of the fields, and nothing else. */
  read(source: unknown): F {
    const found: Record<string, unknown> = {};
    for (const [key, check, otherwise] of this.#fields) {
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
    for (const [key] of this.#fields) {
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
    for (const [key, check] of this.#fields) if (!check(ownField(value, key))) return key;
    return null;
  }
}

/** Wire input is never asked for what it inherits. */
function ownField(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
