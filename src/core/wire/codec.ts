/**
 * How values become JSON, and what JSON has no word for becomes a place in it. Every codec is JSON, which the engines write and read
 * faster than any code does, and which any language reads; the rich one carries more beside it. The hello says which codecs a side can
 * read, and each side writes the best one that both can.
 */

import { overLimit } from "../faults.ts";
import { BodyError, type CodecName, joinBytes, LARGE_BYTES, MAX_BODY_DEPTH, MAX_DEPTH, utf8Text } from "./frame.ts";
import {
  BufferPool,
  explained,
  isBigIntText,
  isHolder,
  isPlain,
  type Key,
  NotSerializableError,
  OverLimitError,
  type Params,
  type Place,
  PlaceKind,
  PlainValue,
  Scan,
} from "./serializable.ts";
import { jsonText, objectText } from "../user_code.ts";
import type { OutOfBandParts } from "./shared_memory.ts";

/** A value ready to be put into a frame. */
export interface EncodedValue {
  readonly text: string;
  /** Where it is not all in the text: what belongs where. */
  readonly places: readonly Place[];
  /** Bytes of these places. */
  readonly parts: readonly Uint8Array[];
  /** Characters of the text and bytes of the parts: what it is counted with. Near a limit, bytes of all. */
  readonly bytes: number;
}

const NONE: readonly never[] = [];

/** What a place costs in a frame beside its own text. */
const PLACE_BYTES = 16;
const MAX_CHARACTER_BYTES = 3;

export class Codec {
  readonly name: CodecName;
  readonly #pool = new BufferPool();

  constructor(name: CodecName) {
    this.name = name;
  }

  /**
   * @param name stands for the value in the error's text. @param limit bytes that it may have, checked before it is written.
   * @throws {NotSerializableError} @throws {OverLimitError}
   */
  encode(value: unknown, name: string, limit = Infinity): EncodedValue {
    try {
      if (value instanceof PlainValue) return encoded(value.value, name, limit);
      const rich = this.name === "rich";
      if (rich && isPlain(value, limit)) return encoded(value, name, limit);
      const carried = { bytes: this.name !== "text", rich, pool: this.#pool };
      const scan = new Scan(name, carried, limit);
      return encoded(scan.look(value), name, limit, scan);
    } catch (error) {
      throw explained(error);
    }
  }

  /** What was encoded has been sent and will not be sent again, so that its memory is used for another value. */
  release({ parts }: EncodedValue): void {
    for (const { length, buffer } of parts) {
      if (length >= LARGE_BYTES && buffer instanceof ArrayBuffer) this.#pool.give(new Uint8Array(buffer));
    }
  }
}

function encoded(value: unknown, name: string, limit: number, scan?: Scan): EncodedValue {
  const text = jsonText(value);
  if (text === undefined) throw new NotSerializableError(`${name} has no JSON form`);
  let bytes = text.length * MAX_CHARACTER_BYTES > limit ? utf8Bytes(text) : text.length;
  if (scan === undefined || scan.places.length === 0) return { text, places: NONE, parts: NONE, bytes };
  const { places, parts } = scan;
  bytes += utf8Bytes(objectText(places)) + places.length * PLACE_BYTES;
  for (const { length } of parts) bytes += length;
  return { text, places, parts, bytes };
}

/** Length of `text` in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** The value that a peer would get. */
export function decoded({ text, places, parts }: EncodedValue): unknown {
  const holder = [JSON.parse(text)];
  const source = new PartSource(joinBytes(parts));
  for (const [path, ...rest] of places) putPlace(holder, [[0, ...path], ...rest], source);
  return holder[0];
}

/**
 * The JSON text of a value for a reader of nothing else; undefined where it has none.
 *
 * @throws {NotSerializableError} where JSON would lose what it holds.
 */
export function plainText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : textAlone(value, name, MAX_DEPTH);
}

/**
 * The same of a whole message: what it carries may be as deep as any value, and the message is a little deeper.
 *
 * @throws {NotSerializableError}
 */
export function messageText(message: object): string {
  return textAlone(message, "message", MAX_BODY_DEPTH);
}

function textAlone(value: unknown, name: string, levels: number): string {
  try {
    return encoded(new Scan(name, { bytes: false, levels }).look(value), name, Infinity).text;
  } catch (error) {
    throw explained(error);
  }
}

/** The bytes beside a text, one after the other; large ones may be elsewhere. */
export class PartSource {
  readonly #bytes: Uint8Array;
  readonly #outOfBand: OutOfBandParts | undefined;
  /** Where the bytes begin in the body that they are a part of. */
  readonly #start: number;
  #at = 0;

  constructor(bytes: Uint8Array, start = 0, outOfBand?: OutOfBandParts) {
    this.#bytes = bytes;
    this.#start = start;
    this.#outOfBand = outOfBand;
  }

  /** Copied: a chunk is larger than what it holds, and is used again. @throws {BodyError} */
  take(length: unknown): Uint8Array {
    if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) throw wrongPlace();
    if (length >= LARGE_BYTES && this.#outOfBand?.isAt(this.#start + this.#at)) return this.#outOfBand.take(length);
    const from = this.#at;
    if (length > this.#bytes.length - from) throw wrongPlace();
    this.#at += length;
    // Not `slice`: in Node and Bun the chunk is a Buffer, whose slices share its memory.
    return new Uint8Array(this.#bytes.subarray(from, this.#at));
  }
}

/** Puts into `values` what the text could not say, where the place says. @throws {BodyError} */
export function putPlace(values: unknown, place: unknown, source: PartSource): void {
  const [path, content, kind]: unknown[] = Array.isArray(place) ? place : [];
  if (!isPath(path)) throw wrongPlace();
  const last = path[path.length - 1];
  let holder = values;
  for (let index = 0; index < path.length - 1; index++) holder = ownValue(holder, path[index]);
  if (last === undefined || !isHolder(holder) || !Object.hasOwn(holder, last)) throw new BodyError(NOWHERE);
  const value = kind === undefined ? source.take(content) : valueOfKind(kind, content, source);
  Object.defineProperty(holder, last, { value, configurable: true, enumerable: true, writable: true });
}

const NOWHERE = "attachment path leads nowhere";

function isPath(value: unknown): value is Key[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((key) => typeof key === "string" || typeof key === "number");
}

function ownValue(holder: unknown, key: Key | undefined): unknown {
  if (key === undefined || !isHolder(holder) || !Object.hasOwn(holder, key)) throw new BodyError(NOWHERE);
  return Reflect.get(holder, key);
}

/** Whether a place of this kind says how many bytes it has beside the text. */
export function hasBytes(kind: unknown): boolean {
  return kind === undefined || kind === PlaceKind.text || kind === PlaceKind.numbers;
}

const NUMBERS: readonly unknown[] = ["NaN", "-0", "Infinity", "-Infinity"];

/** @throws {BodyError} */
function valueOfKind(kind: unknown, content: unknown, source: PartSource): unknown {
  switch (kind) {
    case PlaceKind.undefined:
      return undefined;
    case PlaceKind.date:
      if (typeof content === "number") return new Date(content);
      break;
    case PlaceKind.number:
      if (NUMBERS.includes(content)) return Number(content);
      break;
    case PlaceKind.bigint:
      if (typeof content === "string" && isBigIntText(content) && /^-?[0-9]+$/.test(content)) return BigInt(content);
      break;
    case PlaceKind.text:
      return utf8Text(source.take(content));
    case PlaceKind.numbers:
      return numbersOf(source.take(content));
  }
  throw wrongPlace();
}

function numbersOf(bytes: Uint8Array): number[] {
  const { buffer, byteOffset, length } = bytes;
  if (length % Float64Array.BYTES_PER_ELEMENT !== 0) throw wrongPlace();
  const numbers = new Float64Array(buffer, byteOffset, length / Float64Array.BYTES_PER_ELEMENT);
  const list: number[] = [];
  for (let index = 0; index < numbers.length; index++) list.push(numbers[index] ?? 0);
  return list;
}

function wrongPlace(): BodyError {
  return new BodyError("attachments: a place is wrong");
}

/** What a frame needs around one value: columns, the command's name, the caller. */
const ENVELOPE_BYTES = 4096;
/** Characters of a command's name, each of which JSON may write with six. */
const MAX_COMMAND_LENGTH = 512;

/** Why a value can't be sent, as the facts of a `PayloadError`. */
export interface PayloadFault {
  readonly code: "PAYLOAD";
  readonly reason: string;
  readonly bytes: number | null;
  readonly limit: number;
}

/** Parameters of a call, whose command's name has to fit beside them. */
export function encodeParams(
  codec: Codec,
  command: string,
  params: Params,
  frameLimit: number,
): EncodedValue | PayloadFault {
  const { length } = command;
  if (length <= MAX_COMMAND_LENGTH) return encodePayload(codec, params, "params", frameLimit);
  return { code: "PAYLOAD", reason: overLimit(length, MAX_COMMAND_LENGTH), bytes: length, limit: MAX_COMMAND_LENGTH };
}

/** @param what `params` or `result`, for the error's text. */
export function encodePayload(
  codec: Codec,
  value: unknown,
  what: "params" | "result",
  frameLimit: number,
): EncodedValue | PayloadFault {
  const limit = frameLimit - ENVELOPE_BYTES;
  try {
    const encoded = codec.encode(value, what, limit);
    if (encoded.bytes <= limit) return encoded;
    return { code: "PAYLOAD", reason: overLimit(encoded.bytes, limit), bytes: encoded.bytes, limit };
  } catch (error) {
    if (error instanceof OverLimitError) {
      const { bytes } = error;
      return { code: "PAYLOAD", reason: overLimit(`more than ${bytes}`, limit), bytes, limit };
    }
    if (!(error instanceof NotSerializableError)) throw error;
    const verb = what === "params" ? "are" : "is";
    return { code: "PAYLOAD", reason: `${what} ${verb} not serializable: ${error.message}`, bytes: null, limit };
  }
}

/** Stands where a value could not be encoded; never sent. */
export const NOTHING_ENCODED: EncodedValue = { text: "null", places: NONE, parts: NONE, bytes: 4 };
