/**
 * Calls and answers as JSON text, with `Uint8Array`s as raw bytes beside it. What JSON would drop or change in silence (functions,
 * Maps, other typed arrays, BigInt) is refused with its path; `docs/wire-protocol.md` lists the mapping.
 *
 * @module
 */

import type { Codec, EncodedValue } from "./codec.ts";
import {
  type ColumnWriter,
  hasItems,
  isId,
  readAnswers,
  readCalls,
  type ReceivedAnswers,
  type ReceivedCalls,
  writeAnswers,
  writeCalls,
} from "./columns.ts";
import { BodyError, FrameFlag, type Packed } from "./frame.ts";
import { type CallHeaders, headersText } from "./messages.ts";
import {
  type AttachmentPlace,
  type Carried,
  explained,
  isHolder,
  isScalar,
  jsonText,
  type Key,
  NotSerializableError,
  objectText,
  readJson,
  Scan,
} from "./serializable.ts";

/** A value ready to be put into a frame. */
export interface JsonText {
  /** What a value in the compact codec has. */
  readonly buffer?: undefined;
  readonly text: string;
  /** Bytes of the text, of all attachments and of their places. */
  readonly bytes: number;
  readonly places: readonly AttachmentPlace[];
  readonly attachments: readonly Uint8Array[];
}

export const JSON_CODEC: Codec = {
  name: "json",
  encode: (value, name, limit = Infinity) => encodeValue(value, name, { limit }),
  takeBack: () => {},
  release: () => {},
  before: () => undefined,
  calls: (calls, settledBelow) => writeCalls(new JsonColumns(), calls, settledBelow),
  answers: (answers) => writeAnswers(new JsonColumns(), answers),
};

/** The same without bytes beside the text. */
export const TEXT_CODEC: Codec = {
  ...JSON_CODEC,
  name: "text",
  encode: (value, name, limit = Infinity) => encodeValue(value, name, { limit, bytes: false }),
};

/** What a place costs in a frame beside its own text. */
const PLACE_BYTES = 16;
const NONE: readonly never[] = [];

/** A longer list is looked at as any other value is. */
const SHORT_LIST = 100;

const encoder = new TextEncoder();
const lenient = new TextDecoder();

/** How a value is written as JSON. */
interface Encoding extends Carried {
  /** @default none */
  readonly limit?: number;
}

/**
 * @param name stands for the value in the error's text.
 * @param limit bytes that it may have. A value with many times as much is not written.
 * @throws {NotSerializableError} @throws {OverLimitError}
 */
export function encodeValue(value: unknown, name: string, { limit = Infinity, ...carried }: Encoding = {}): JsonText {
  return explained(() => {
    if (isScalar(value) || isScalarList(value)) return encoded(value, name, NONE, NONE);
    const scan = new Scan(name, carried, limit);
    return encoded(scan.look(value), name, scan.places, scan.attachments);
  });
}

/**
 * The JSON text of a value for a reader of nothing else; undefined where it has none.
 *
 * @throws {NotSerializableError} where JSON would lose what it holds.
 */
export function plainText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : encodeValue(value, name, { bytes: false }).text;
}

/** @throws {BodyError} */
export function readJsonCalls(flags: number, body: Uint8Array): ReceivedCalls {
  const [columns, attachments] = unpack(flags, body);
  if (typeof columns[3] === "string") throw new BodyError("calls frame: columns are missing");
  placeAttachments(columns[4], columns[6], attachments);
  return readCalls(columns);
}

/** @throws {BodyError} */
export function readJsonAnswers(flags: number, body: Uint8Array): ReceivedAnswers {
  const [columns, attachments] = unpack(flags, body);
  const [, , kinds, values, places] = columns;
  const sizes = hasItems(kinds) && Array.isArray(values) ? sizesOf(values, { body, places }) : undefined;
  placeAttachments(values, places, attachments);
  return readAnswers(columns, sizes);
}

const IDS = /^\s*\[[^[\],]*,\s*\[([^[\]]*)\]/;

/** Ids of the calls in a body that could not be read: its second column, whatever comes behind it. */
export function jsonIds(flags: number, body: Uint8Array): number[] {
  const text = lenient.decode((flags & FrameFlag.attachments) === 0 ? body : body.subarray(4));
  const [, ids = ""] = IDS.exec(text) ?? [];
  return ids === "" ? [] : ids.split(",").map(Number).filter(isId);
}

/** The text of one frame, and what stands behind it. */
class JsonColumns implements ColumnWriter {
  readonly #columns: string[] = [];
  #values: JsonText[] = [];

  begin(): void {}

  number(value: number): void {
    this.#columns.push(String(value));
  }

  numbers<E>(entries: readonly E[], numberOf: (entry: E) => number): void {
    this.#columns.push(`[${entries.map(numberOf).join()}]`);
  }

  texts<E>(entries: readonly E[], textOf: (entry: E) => string): void {
    this.#columns.push(objectText(entries.map(textOf)));
  }

  values<E>(entries: readonly E[], valueOf: (entry: E) => EncodedValue): void {
    this.#values = entries.map((entry) => {
      const value = valueOf(entry);
      if (value.buffer === undefined) return value;
      throw new TypeError("Cannot send a value: it is encoded for another codec");
    });
    this.#columns.push(`[${this.#values.map(({ text }) => text).join()}]`);
  }

  headers<E>(entries: readonly E[], headersOf: (entry: E) => CallHeaders | null): void {
    this.#columns.push(`[${entries.map((entry) => headersText(headersOf(entry))).join()}]`);
  }

  end(): Packed {
    const attachments = this.#values.flatMap((value) => value.attachments);
    if (attachments.length === 0) return { flags: 0, parts: [encoder.encode(`[${this.#columns.join()}]`)] };
    const places = this.#values.flatMap((value, index) =>
      value.places.map(([path, bytes]) => [[index, ...path], bytes])
    );
    const text = encoder.encode(`[${this.#columns.join()},${objectText(places)}]`);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, text.length);
    return { flags: FrameFlag.attachments, parts: [length, text, ...attachments] };
  }
}

function isScalarList(value: unknown): boolean {
  return Array.isArray(value) && value.length <= SHORT_LIST && value.every(isScalar);
}

function encoded(
  value: unknown,
  name: string,
  places: readonly AttachmentPlace[],
  attachments: readonly Uint8Array[],
): JsonText {
  const text = jsonText(value);
  if (text === undefined) throw new NotSerializableError(`${name} has no JSON form`);
  let bytes = utf8Bytes(text);
  if (places.length > 0) bytes += utf8Bytes(objectText(places)) + places.length * PLACE_BYTES;
  for (const attachment of attachments) bytes += attachment.length;
  return { text, bytes, places, attachments };
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

function unpack(flags: number, body: Uint8Array): [columns: unknown[], attachments: Uint8Array] {
  let text = body;
  let attachments = body.subarray(body.length);
  if ((flags & FrameFlag.attachments) !== 0) {
    if (body.length < 4) throw new BodyError("attachments: the length of the text is missing");
    const length = new DataView(body.buffer, body.byteOffset, 4).getUint32(0);
    if (length > body.length - 4) throw new BodyError("attachments: the text is longer than the frame");
    text = body.subarray(4, 4 + length);
    attachments = body.subarray(4 + length);
  }
  const columns = readJson(text);
  if (!Array.isArray(columns)) throw new BodyError("the body is not a list of columns");
  return [columns, attachments];
}

/** A value that shares its frame is written again to measure it, without its attachments, whose bytes the places give. */
function sizesOf(values: readonly unknown[], { body, places }: { body: Uint8Array; places: unknown }): number[] {
  if (values.length === 1) return [body.length];
  const sizes = values.map((value) => JSON.stringify(value).length);
  for (const place of Array.isArray(places) ? places : []) {
    const [path, bytes]: unknown[] = Array.isArray(place) ? place : [];
    const index: unknown = Array.isArray(path) ? path[0] : undefined;
    if (typeof index === "number" && index in sizes && isId(bytes)) sizes[index] = (sizes[index] ?? 0) + bytes;
  }
  return sizes;
}

/** Puts each attachment, in order, where its path says. They are copied: a chunk is larger than what it holds. */
function placeAttachments(values: unknown, places: unknown, attachments: Uint8Array): void {
  if (!Array.isArray(values) || !Array.isArray(places)) return;
  let offset = 0;
  for (const place of places) {
    const [path, bytes]: unknown[] = Array.isArray(place) ? place : [];
    if (!isPath(path) || !isId(bytes) || offset + bytes > attachments.length) {
      throw new BodyError("attachments: a place is wrong");
    }
    // Not `slice`: in Node and Bun the chunk is a Buffer, whose slices share its memory.
    attach(values, path, new Uint8Array(attachments.subarray(offset, offset + bytes)));
    offset += bytes;
  }
}

function isPath(value: unknown): value is Key[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((key) => typeof key === "string" || typeof key === "number");
}

/** Puts `bytes` where `path` says in a value that was parsed from JSON. @throws {TypeError} where it leads nowhere. */
export function attach(value: unknown, path: readonly Key[], bytes: Uint8Array): void {
  const last = path.at(-1);
  if (last === undefined) throw new TypeError("attachment path is empty");
  let holder: unknown = value;
  for (const key of path.slice(0, -1)) {
    if (!isHolder(holder) || !Object.hasOwn(holder, key)) throw new TypeError("attachment path leads nowhere");
    holder = Reflect.get(holder, key);
  }
  if (!isHolder(holder) || !Object.hasOwn(holder, last)) throw new TypeError("attachment path leads nowhere");
  Object.defineProperty(holder, last, { value: bytes, configurable: true, enumerable: true, writable: true });
}
