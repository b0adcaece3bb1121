/**
 * Frames that hold many calls or many answers as columns, and their reading.
 *
 *     calls    [settledBelow, ids, attempts | 0, commands, params, options | 0, attachments?]
 *     answers  [ids, attempts | 0, kinds | 0, values, attachments?]
 *
 * `attempts` is 0 where all are first attempts, `kinds` where all are values, `options` where no call has any.
 *
 * @module
 */

import { hasItems, readKinds } from "./answer_kind.ts";
import { BodyError } from "./body_error.ts";
import { type CallHeaders, headersText, readHeaders } from "./call_headers.ts";
import { FrameFlag } from "./header.ts";
import type { EncodedValue } from "./codec.ts";
import { attach, type JsonText } from "./json_codec.ts";
import { jsonText } from "./json_text.ts";
import { isNestedDeeper, MAX_BODY_DEPTH, tooDeep } from "./limits.ts";
import { bodyText, textBytes } from "./text.ts";

export { BodyError };

export interface CallEntry {
  readonly id: number;
  readonly attempt: number;
  readonly command: string;
  readonly params: EncodedValue;
  readonly options: CallHeaders | null;
}

export interface AnswerEntry {
  readonly id: number;
  readonly attempt: number;
  readonly kind: number;
  readonly value: EncodedValue;
}

export interface ReceivedCall {
  readonly id: number;
  readonly attempt: number;
  readonly command: string;
  readonly params: readonly unknown[];
  readonly options: CallHeaders | null;
}

/** Answers as they travel, in columns of one length: an object for each would be garbage at once. */
export interface ReceivedAnswers {
  /** Numbers where they are ours; a faulty peer may send anything. */
  readonly ids: readonly unknown[];
  /** Undefined where all answer first attempts. */
  readonly attempts: readonly unknown[] | undefined;
  /** Undefined where all are values. */
  readonly kinds: readonly number[] | undefined;
  readonly values: readonly unknown[];
  /** Bytes of each value, where one of them is an item of a stream: more is sent only as they are taken. */
  readonly sizes: readonly number[] | undefined;
}

/** A frame ready for `Link.sendParts`. */
export interface Packed {
  readonly flags: number;
  readonly parts: readonly Uint8Array[];
  /** Those of the parts that nobody writes to again, so that they need no copy. @default none */
  readonly steady?: ReadonlySet<Uint8Array>;
  /** Those of the steady parts that are the bytes of one large text or `Uint8Array`, and may lie apart. @default none */
  readonly large?: ReadonlySet<Uint8Array>;
}

export function packCalls(calls: readonly CallEntry[], settledBelow: number): Packed {
  const attempts = calls.every((call) => call.attempt === 1) ? 0 : calls.map((call) => call.attempt);
  const options = calls.every((call) => call.options === null)
    ? "0"
    : `[${calls.map((call) => headersText(call.options)).join()}]`;
  const params = calls.map((call) => jsonOf(call.params));
  const text = `[${settledBelow},${jsonText(calls.map((call) => call.id))},${jsonText(attempts)},` +
    `${jsonText(calls.map((call) => call.command))},[${params.map((value) => value.text).join()}],` +
    options;
  return pack(text, params);
}

export function packAnswers(answers: readonly AnswerEntry[]): Packed {
  const attempts = answers.every((answer) => answer.attempt === 1) ? 0 : answers.map((answer) => answer.attempt);
  const kinds = answers.every((answer) => answer.kind === 0) ? 0 : answers.map((answer) => answer.kind);
  const values = answers.map((answer) => jsonOf(answer.value));
  const text = `[${jsonText(answers.map((answer) => answer.id))},${jsonText(attempts)},` +
    `${jsonText(kinds)},[${values.map((value) => value.text).join()}]`;
  return pack(text, values);
}

/** @throws {BodyError} */
export function readCalls(flags: number, body: Uint8Array): { settledBelow: number; calls: ReceivedCall[] } {
  const [columns, attachments] = unpack(flags, body);
  const [settledBelow, ids, attempts, commands, params, options, places] = columns;
  if (typeof settledBelow !== "number" || !Array.isArray(ids) || !Array.isArray(commands) || !Array.isArray(params)) {
    throw new BodyError("calls frame: columns are missing");
  }
  if (ids.length !== commands.length || ids.length !== params.length) {
    throw new BodyError("calls frame: columns differ in length");
  }
  placeAttachments(params, places, attachments);
  const calls = ids.map((id: unknown, index): ReceivedCall => {
    const command: unknown = commands[index];
    const list: unknown = params[index];
    const attempt = at(attempts, index, 1);
    if (!isId(id) || !isId(attempt) || typeof command !== "string" || !Array.isArray(list)) {
      throw new BodyError(`calls frame: call ${index} has a wrong type in a column`);
    }
    return { id, attempt, command, params: list, options: readHeaders(at(options, index, null)) };
  });
  return { settledBelow, calls };
}

/** @throws {BodyError} */
export function readAnswers(flags: number, body: Uint8Array): ReceivedAnswers {
  const [columns, attachments] = unpack(flags, body);
  const [ids, attempts, kinds, values, places] = columns;
  if (!Array.isArray(ids) || !Array.isArray(values) || ids.length !== values.length) {
    throw new BodyError("answers frame: columns are missing or differ in length");
  }
  const sizes = hasItems(listOr(kinds)) ? sizesOf(values, { body, places }) : undefined;
  placeAttachments(values, places, attachments);
  return { ids, attempts: listOr(attempts), kinds: readKinds(listOr(kinds), values), values, sizes };
}

/** A value that shares its frame is written again to measure it, without its attachments, which the places tell. */
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

function listOr(column: unknown): readonly unknown[] | undefined {
  return Array.isArray(column) ? column : undefined;
}

/** The JSON value of a body without attachments. @throws {BodyError} */
export function readJson(body: Uint8Array): unknown {
  return parse(body);
}

function pack(openText: string, values: readonly JsonText[]): Packed {
  if (values.every((value) => value.attachments.length === 0)) {
    return { flags: 0, parts: [textBytes(`${openText}]`)] };
  }
  const places = values.flatMap((value, index) => value.places.map(([path, bytes]) => [[index, ...path], bytes]));
  const text = textBytes(`${openText},${jsonText(places)}]`);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length);
  const attachments = values.flatMap((value) => value.attachments);
  return { flags: FrameFlag.attachments, parts: [length, text, ...attachments] };
}

function jsonOf(value: EncodedValue): JsonText {
  if (value.buffer === undefined) return value;
  throw new TypeError("Cannot send a value: it is encoded for another codec");
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
  const columns = parse(text);
  if (!Array.isArray(columns)) throw new BodyError("the body is not a list of columns");
  return [columns, attachments];
}

/** Without the engine's own words, which quote from the body. */
function parse(body: Uint8Array): unknown {
  let text: string;
  try {
    text = bodyText(body);
  } catch {
    throw new BodyError("the body is not UTF-8");
  }
  if (isNestedDeeper(text, MAX_BODY_DEPTH)) throw tooDeep();
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyError("the body is not valid JSON");
  }
}

/** Puts each attachment, in order, where its path says. They are copied: a chunk is larger than what it holds. */
function placeAttachments(values: unknown[], places: unknown, attachments: Uint8Array): void {
  let offset = 0;
  for (const place of Array.isArray(places) ? places : []) {
    const [path, bytes]: unknown[] = Array.isArray(place) ? place : [];
    if (!isPath(path) || !isId(bytes) || offset + bytes > attachments.length) {
      throw new BodyError("attachments: a place is wrong");
    }
    // Not `slice`: in Node and Bun the chunk is a Buffer, whose slices share its memory.
    attach(values, path, new Uint8Array(attachments.subarray(offset, offset + bytes)));
    offset += bytes;
  }
}

function isPath(value: unknown): value is (string | number)[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((key) => typeof key === "string" || typeof key === "number");
}

function at(column: unknown, index: number, otherwise: unknown): unknown {
  return Array.isArray(column) ? column[index] : otherwise;
}

export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
