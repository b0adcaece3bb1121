/**
 * Shapes of objects that repeat, so that their keys travel once a stream. An object of a known shape is one byte, 0x40 + the
 * shape's number, and its values in order: the bytes that `msgpackr` writes for a shared structure.
 *
 * The numbers belong to a {@link Shapes}, which outlives the channel, so that what was encoded for one process can be sent to the
 * next: each new stream is told the shapes again, before the first frame that needs them.
 *
 * @module
 */

import type { StreamState } from "./codec.ts";
import { type IsOfShape, isPlain, type Make, makerOf, testerOf, type WriteObject, writerOf } from "./shape_code.ts";

/** The bytes 0x40 to 0x7f. */
const MAX_SHAPES = 64;
/** An object with more keys, or longer ones, is written with them. */
const MAX_KEYS = 64;
const MAX_KEY_LENGTH = 64;
/** Shapes seen once, of which those that are seen again get a number. */
const MAX_CANDIDATES = 512;
/** All keys of all shapes together, so that the frame that tells them is small. */
const MAX_CHARACTERS = 8_192;

export interface Shape {
  readonly number: number;
  readonly keys: readonly string[];
  readonly is: IsOfShape;
  readonly write: WriteObject;
}

/** The writer's side. */
export class Shapes {
  readonly #all: Shape[] = [];
  /** The shape that was last used for this first key: nearly always the right one. */
  readonly #byFirstKey = new Map<string, Shape>();
  readonly #candidates = new Set<string>();
  /** What was found last: mostly the next, too. */
  #last: Shape | undefined;
  #characters = 0;

  /** The shape of a plain object, where it is the likely one: to ask the object for its keys costs more than all else. */
  likely(object: object): Shape | undefined {
    if (this.#last?.is(object) === true) return this.#last;
    if (!isPlain(object)) return undefined;
    for (const key in object) {
      const shape = this.#byFirstKey.get(key);
      if (shape?.is(object) !== true) return undefined;
      this.#last = shape;
      return shape;
    }
    return undefined;
  }

  /** The shape of an object with these keys, from the second such object on. */
  find(keys: readonly string[]): Shape | undefined {
    const first = keys[0];
    if (first === undefined || keys.length > MAX_KEYS) return undefined;
    const known = this.#all.find((shape) => isSame(shape.keys, keys));
    const shape = known ?? this.#learn(keys);
    if (shape !== undefined) this.#byFirstKey.set(first, shape);
    return shape;
  }

  /** What a reader was not told yet; from now on it counts as told. */
  untold(stream: StreamState): readonly Shape[] {
    if (stream.told === this.#all.length) return NONE;
    const untold = this.#all.slice(stream.told);
    stream.told = this.#all.length;
    return untold;
  }

  #learn(keys: readonly string[]): Shape | undefined {
    if (this.#all.length === MAX_SHAPES || !keys.every(isShapeKey)) return undefined;
    const name = keys.join("\0");
    if (!this.#candidates.delete(name)) {
      if (this.#candidates.size === MAX_CANDIDATES) this.#candidates.clear();
      this.#candidates.add(name);
      return undefined;
    }
    if (this.#characters + name.length > MAX_CHARACTERS) return undefined;
    this.#characters += name.length;
    const number = this.#all.length;
    const shape = { number, keys: [...keys], is: testerOf(keys), write: writerOf(keys, number) };
    this.#all.push(shape);
    return shape;
  }
}

/** The reader's side: what the peer told, in its order. */
export class KnownShapes {
  readonly #makers: Make[] = [];

  get(number: number): Make | undefined {
    return this.#makers[number];
  }

  /** False where `first` is not the next number, or a key is none. */
  learn(first: unknown, shapes: readonly unknown[]): boolean {
    if (first !== this.#makers.length || first + shapes.length > MAX_SHAPES) return false;
    for (const keys of shapes) {
      if (!Array.isArray(keys) || keys.length > MAX_KEYS || !keys.every(isShapeKey)) return false;
      this.#makers.push(makerOf(keys));
    }
    return true;
  }
}

const NONE: readonly never[] = [];

/** Not `__proto__`, which is a word of the language in an object literal and in an assignment. */
function isShapeKey(key: unknown): key is string {
  return typeof key === "string" && key.length <= MAX_KEY_LENGTH && key !== "__proto__";
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
