/**
 * The code that writes and makes the objects of one shape, compiled from text for its keys: an engine knows then at each place
 * which key is read, and makes a whole object at once. Where a program forbids code from text, a loop over the keys does the same.
 *
 * @module
 */

/** Writes an object with exactly the keys of the shape, in their order. */
export type WriteObject = (writer: ValueWriter, object: object) => void;

/** Whether an object is a plain one with exactly the keys of the shape, in their order. */
export type IsOfShape = (object: object) => boolean;

/** Makes an object with the keys of the shape, each value from `next()`. */
export type Make = (reader: { next(): unknown }) => object;

/** What the code of a shape needs of a writer. */
export interface ValueWriter {
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
/** The most texts of a list that is written in place: their number is a part of its first byte. */
const MOST_TEXTS = 15;

/**
 * Short ASCII texts, whole numbers above 0, fractions, and lists of short texts, which most values are, are written in place, with
 * the writer's fields at hand: an object takes a fifth less time than with {@link ValueWriter.nested} for each value. The rest goes
 * there.
 */
export function writerOf(keys: readonly string[], number: number): WriteObject {
  const writer = compiled(
    "isArray, writeTexts",
    `return (writer, object) => {
      let bytes = writer.buffer, at = writer.end, value, length, units, unit, index, end;
      ${roomFor(keys.length + 1)}
      bytes[at++] = ${0x40 + number};
      ${keys.map((key, index) => writing(key, keys.length - index)).join("")}
      writer.end = at;
    };`,
  );
  if (isWriter(writer)) return writer(Array.isArray, writeTexts);
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
    const own = isPlain(object) ? Object.keys(object) : [];
    return own.length === keys.length && own.every((key, index) => key === keys[index]);
  };
}

/** Whether `object` is made of its own keys alone. */
export function isPlain(object: object): boolean {
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
      } else if (isArray(value)) {
        end = writeTexts(bytes, at, value, bytes.length - ${left * IN_PLACE_BYTES});
        if (end > 0) {
          at = end;
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

/**
 * Writes a list of a few short ASCII texts at `at`, before `limit`.
 *
 * @returns where it ends; 0 where it is another list, or there is no room
 */
function writeTexts(bytes: Uint8Array, at: number, list: readonly unknown[], limit: number): number {
  const { length } = list;
  if (length > MOST_TEXTS || limit - at < (length + 1) * IN_PLACE_BYTES || "toJSON" in list) return 0;
  let end = at;
  bytes[end++] = 0x90 + length;
  for (let item = 0; item < length; item++) {
    const text = list[item];
    if (typeof text !== "string" || text.length >= IN_PLACE_BYTES) return 0;
    let units = 0;
    for (let index = 1; index <= text.length; index++) {
      const unit = text.charCodeAt(index - 1);
      units |= unit;
      bytes[end + index] = unit;
    }
    if (units >= 0x80) return 0;
    bytes[end] = 0xa0 + text.length;
    end += text.length + 1;
  }
  return end;
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
export function makerOf(keys: readonly string[]): Make {
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

type Writer = (isArray: typeof Array.isArray, texts: typeof writeTexts) => WriteObject;

function isWriter(made: unknown): made is Writer {
  return typeof made === "function";
}

function isMake(made: unknown): made is Make {
  return typeof made === "function";
}
