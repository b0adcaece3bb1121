/**
 * One look at everything in a value: finds its bytes, and refuses with its path what can't be sent.
 *
 * @module
 */

import { messageOf } from "../thrown.ts";
import { refuseLossy } from "./lossy.ts";

export type Key = string | number;

/** Where an attachment belongs: the keys from the value's root, and how many bytes it has. */
export type AttachmentPlace = readonly [path: readonly Key[], bytes: number];

/** Why a value can't be sent, such as `params[0].when is a function`. */
export class NotSerializableError extends Error {
  override readonly name = "NotSerializableError";
}

/** Engines differ in how deep they can write and read JSON; each of them can do this. */
const MAX_DEPTH = 1_000;
const MAX_PATH_LENGTH = 200;
/** Runs `look` and gives whatever it throws the words of a {@link NotSerializableError}. */
export function explained<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof NotSerializableError) throw error;
    throw new NotSerializableError(firstLine(messageOf(error)));
  }
}

/** One look at everything in a value: finds its bytes, and refuses what JSON would lose. */
export class Scan {
  places: AttachmentPlace[] = [];
  attachments: Uint8Array[] = [];
  readonly #name: string;
  readonly #isRich: boolean;
  /** What lies around the value that is looked at, from the outside in, and by which keys. */
  readonly #holders: object[] = [];
  readonly #keys: Key[] = [];

  /** @param isRich whether BigInt and Date are carried as they are. */
  constructor(name: string, isRich = false) {
    this.#name = name;
    this.#isRich = isRich;
  }

  /** @throws {NotSerializableError} */
  look(value: unknown): void {
    if (isPlain(value)) return;
    if (this.#isRich && (typeof value === "bigint" || value instanceof Date)) return;
    if (!isHolder(value)) throw this.#refusal(`is a ${typeof value}`);
    if (value instanceof Uint8Array) return this.#take(value);
    refuseLossy(value, (what) => this.#refusal(what));
    const toJSON: unknown = Reflect.get(value, "toJSON");
    if (typeof toJSON !== "function") return this.#enter(value);
    const json: unknown = Reflect.apply(toJSON, value, [String(this.#keys.at(-1) ?? "")]);
    // JSON.stringify does not ask a form for its own form.
    if (isHolder(json) && !(json instanceof Uint8Array)) this.#enter(json);
    else this.look(json);
  }

  #enter(holder: object): void {
    if (this.#holders.includes(holder)) throw this.#refusal("is cyclic");
    if (this.#holders.length === MAX_DEPTH) throw this.#refusal(`is nested deeper than ${MAX_DEPTH}`);
    this.#holders.push(holder);
    if (Array.isArray(holder)) {
      for (let index = 0; index < holder.length; index++) this.#lookAt(index, holder[index]);
    } else {
      for (const key of Object.keys(holder)) this.#lookAt(key, Reflect.get(holder, key));
    }
    this.#holders.pop();
  }

  #lookAt(key: Key, value: unknown): void {
    if (isPlain(value)) return;
    this.#keys.push(key);
    this.look(value);
    this.#keys.pop();
  }

  /** Copied, as the text is: the call may wait, and the program may use its buffer again. */
  #take(bytes: Uint8Array): void {
    this.places.push([[...this.#keys], bytes.length]);
    this.attachments.push(new Uint8Array(bytes));
  }

  #refusal(what: string): NotSerializableError {
    const path = this.#keys.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
    const shown = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
    return new NotSerializableError(`${this.#name}${shown} ${what}`);
  }
}

export function isPlain(value: unknown): boolean {
  return value === null || value === undefined || typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
}

export function isHolder(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
