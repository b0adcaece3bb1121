/**
 * Shapes of objects that repeat, so that their keys travel once a stream. An object of a known shape is one byte, 0x40 + the
 * shape's number, and its values in order: the bytes that `msgpackr` writes for a shared structure.
 *
 * The numbers belong to a {@link Shapes}, which outlives the channel, so that what was encoded for one process can be sent to the
 * next: each new stream gets the shapes again, before the first frame that needs them.
 *
 * @module
 */

import type { StreamState } from "./codec.ts";

/** The bytes 0x40 to 0x7f. */
const MAX_SHAPES = 64;
/** An object with more keys, or longer ones, is written with them. */
const MAX_KEYS = 64;
const MAX_KEY_LENGTH = 64;
/** Shapes seen once, of which those that are seen again get a number. */
const MAX_CANDIDATES = 512;
/** All keys of all shapes together, so that the frame that carries them is small. */
const MAX_CHARACTERS = 8_192;

interface Shape {
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
    if (!isPlainObject(object)) return undefined;
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

  /** What a reader does not have yet; from now on it counts as sent. */
  unsent(stream: StreamState): readonly Shape[] {
    if (stream.sentCount === this.#all.length) return NONE;
    const unsent = this.#all.slice(stream.sentCount);
    stream.sentCount = this.#all.length;
    return unsent;
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

/** The reader's side: what the peer sent, in its order. */
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

/** Writes an object with exactly the keys of the shape, in their order. */
type WriteObject = (writer: ValueWriter, object: object) => void;

/** Whether an object is a plain one with exactly the keys of the shape, in their order. */
type IsOfShape = (object: object) => boolean;

/** Makes an object with the keys of the shape, each value from `next()`. */
type Make = (reader: { next(): unknown }) => object;

/** What the code of a shape needs of a writer. */
interface ValueWriter {
  readonly buffer: Uint8Array;
  readonly view: DataView;
  /** Where the next byte goes. */
  end: number;
  /** Sees to it that there is room for `bytes`; `buffer` and `end` may be others afterwards. */
  room(bytes: number): void;
  byte(value: number): void;
  /** Writes any value. */
  nested(value: unknown): void;
}

/** The most bytes of a value that is written in place. */
const IN_PLACE_BYTES = 32;

/**
 * Short ASCII texts, whole numbers above 0 and fractions, which most values are, are written in place, with the writer's fields at
 * hand: an object takes a fifth less time than with {@link ValueWriter.nested} for each value. The rest goes there.
 */
function writerOf(keys: readonly string[], number: number): WriteObject {
  const write = compiled(
    "writer, object",
    `let bytes = writer.buffer, at = writer.end, value, length, units, unit, index;
    ${roomFor(keys.length + 1)}
    bytes[at++] = ${0x40 + number};
    ${keys.map((key, index) => writing(key, keys.length - index)).join("")}
    writer.end = at;`,
  );
  if (isWriteObject(write)) return write;
  return (writer, object) => {
    writer.byte(0x40 + number);
    for (const key of keys) writer.nested(Reflect.get(object, key));
  };
}

/** Walks over the keys without a list of them. What asks for the type of `object` stands first: the engine knows it then. */
export function testerOf(keys: readonly string[]): IsOfShape {
  const tester = compiled(
    "keys, prototype, getPrototypeOf",
    `return (object) => {
      if ("toJSON" in object || getPrototypeOf(object) !== prototype) return false;
      let count = 0;
      for (const key in object) if (key !== keys[count++]) return false;
      return count === keys.length;
    };`,
  );
  if (isTester(tester)) return tester(keys, Object.prototype, Object.getPrototypeOf);
  return (object) => {
    const own = isPlainObject(object) ? Object.keys(object) : [];
    return own.length === keys.length && own.every((key, index) => key === keys[index]);
  };
}

/** Whether `object` is made of its own keys alone. */
export function isPlainObject(object: object): boolean {
  return !("toJSON" in object) && Object.getPrototypeOf(object) === Object.prototype;
}

function writing(key: string, left: number): string {
  return `value = object[${JSON.stringify(key)}];
    written: {
      if (typeof value === "string" && value.length < ${IN_PLACE_BYTES}) {
        length = value.length;
        units = 0;
        for (index = 1; index <= length; index++) {
          unit = value.charCodeAt(index - 1);
          units |= unit;
          bytes[at + index] = unit;
        }
        if (units < 0x80) {
          bytes[at] = 0xa0 + length;
          at += length + 1;
          break written;
        }
      } else if (typeof value === "number") {
        if (value !== (value | 0)) {
          bytes[at] = 0xcb;
          writer.view.setFloat64(at + 1, value);
          at += 9;
          break written;
        }
        if (value > 0) {
          if (value < 0x40) bytes[at++] = value;
          else if (value < 0x10000) {
            if (value < 0x100) bytes[at] = 0xcc;
            else {
              bytes[at] = 0xcd;
              bytes[++at] = value >> 8;
            }
            bytes[at + 1] = value;
            at += 2;
          } else {
            bytes[at] = 0xce;
            bytes[at + 1] = value >> 24;
            bytes[at + 2] = value >> 16;
            bytes[at + 3] = value >> 8;
            bytes[at + 4] = value;
            at += 5;
          }
          break written;
        }
      }
      writer.end = at;
      writer.nested(value);
      bytes = writer.buffer;
      at = writer.end;
      ${roomFor(left)}
    }`;
}

function roomFor(values: number): string {
  return `if (bytes.length - at < ${values * IN_PLACE_BYTES}) {
      writer.end = at;
      writer.room(${values * IN_PLACE_BYTES});
      bytes = writer.buffer;
      at = writer.end;
    }`;
}

/** An object literal gives the engine the whole shape at once: five times as fast as key by key. */
function makerOf(keys: readonly string[]): Make {
  const make = compiled("reader", `return {${keys.map((key) => `${JSON.stringify(key)}: reader.next()`)}};`);
  if (isMake(make)) return make;
  return (reader) => {
    const object: Record<string, unknown> = {};
    for (const key of keys) object[key] = reader.next();
    return object;
  };
}

function compiled(parameters: string, body: string): unknown {
  try {
    return new Function(parameters, body);
  } catch {
    // The program forbids code from text.
    return undefined;
  }
}

type Tester = (keys: readonly string[], prototype: object, getPrototypeOf: typeof Object.getPrototypeOf) => IsOfShape;

function isTester(made: unknown): made is Tester {
  return typeof made === "function";
}

function isWriteObject(made: unknown): made is WriteObject {
  return typeof made === "function";
}

function isMake(made: unknown): made is Make {
  return typeof made === "function";
}
