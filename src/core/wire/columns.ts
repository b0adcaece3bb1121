/**
 * Frames that hold many calls or many answers as columns: which ones, in which order, and what makes them wrong.
 *
 *     calls    [settledBelow, ids, attempts | 0, commands, params, options | 0, places?]
 *     answers  [ids, attempts | 0, kinds | 0, values, places?]
 *
 * `attempts` is 0 where all are first attempts, `kinds` where all are values, `options` where no call has any; where all calls have the
 * same, it is these, and no list.
 */

import { type EncodedValue, hasBytes, NOTHING_ENCODED, PartSource, putPlace } from "./codec.ts";
import {
  AnswerKind,
  asBodyError,
  BodyError,
  FrameFlag,
  LARGE_BYTES,
  LENGTH_BYTES,
  type Packed,
  readText,
  utf8Text,
} from "./frame.ts";
import { type CallHeaders, readHeaders, WrittenHeaders } from "./messages.ts";
import { objectText } from "../user_code.ts";
import type { OutOfBandParts } from "./shared_memory.ts";

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

/** @param written the headers that were written last, whose text is kept. */
export function packCalls(calls: readonly CallEntry[], settledBelow: number, written = new WrittenHeaders()): Packed {
  const ids: number[] = [];
  const commands: string[] = [];
  const values: EncodedValue[] = [];
  const first = calls[0]?.options ?? null;
  let [isFirst, isAlike] = [true, true];
  for (const call of calls) {
    ids.push(call.id);
    commands.push(call.command);
    values.push(call.params);
    if (call.attempt !== 1) isFirst = false;
    if (call.options !== first) isAlike = false;
  }
  const attempts = isFirst ? 0 : objectText(calls.map(({ attempt }) => attempt));
  const options = isAlike ? first === null ? 0 : written.text(first) : `[${headersTexts(calls, written)}]`;
  const before = `[${settledBelow},${objectText(ids)},${attempts},${objectText(commands)},[`;
  return packed(before, values, `],${options}`);
}

function headersTexts(calls: readonly CallEntry[], written: WrittenHeaders): string {
  return calls.map(({ options }) => written.text(options)).join();
}

export function packAnswers(answers: readonly AnswerEntry[]): Packed {
  const ids: number[] = [];
  const values: EncodedValue[] = [];
  let [isFirst, isValue] = [true, true];
  for (const answer of answers) {
    ids.push(answer.id);
    values.push(answer.value);
    if (answer.attempt !== 1) isFirst = false;
    if (answer.kind !== AnswerKind.value) isValue = false;
  }
  const attempts = isFirst ? 0 : objectText(answers.map(({ attempt }) => attempt));
  const kinds = isValue ? 0 : objectText(answers.map(({ kind }) => kind));
  return packed(`[${objectText(ids)},${attempts},${kinds},[`, values, "]");
}

/** The frame of columns, those before the values and those after them. */
function packed(before: string, values: readonly EncodedValue[], after: string): Packed {
  // Not joined: the engine copies the parts of a sum once, when it is written.
  let text = before;
  let hasPlaces = false;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NOTHING_ENCODED;
    text += index === 0 ? value.text : `,${value.text}`;
    if (value.places.length > 0) hasPlaces = true;
  }
  text += after;
  if (!hasPlaces) return { flags: 0, body: `${text}]` };
  const places = values.flatMap((value, index) => value.places.map(([path, ...rest]) => [[index, ...path], ...rest]));
  const columns = encoder.encode(`${text},${objectText(places)}]`);
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, columns.length);
  const parts = values.flatMap((value) => value.parts);
  const large = new Set(parts.filter((part) => part.length >= LARGE_BYTES));
  return { flags: FrameFlag.attachments, body: [length, columns, ...parts], large };
}

const encoder = new TextEncoder();

export interface ReceivedCall {
  readonly id: number;
  readonly attempt: number;
  readonly command: string;
  readonly params: readonly unknown[];
  readonly options: CallHeaders | null;
  /** Whether JSON alone says all of the parameters. */
  readonly isPlain: boolean;
}

export interface ReceivedCalls {
  readonly settledBelow: number;
  readonly calls: ReceivedCall[];
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
  /** Whether JSON alone says all of the values. */
  readonly isPlain: boolean;
}

/** The calls of a frame. @param outOfBand what belongs to its body and is elsewhere. @throws {BodyError} */
export function readCalls(flags: number, body: Uint8Array, outOfBand?: OutOfBandParts): ReceivedCalls {
  try {
    const frame = unpack(flags, body, outOfBand);
    place(frame, 4, 6);
    return callsOf(frame);
  } catch (error) {
    throw asBodyError(error);
  }
}

/** The answers of a frame. @param outOfBand what belongs to its body and is elsewhere. @throws {BodyError} */
export function readAnswers(flags: number, body: Uint8Array, outOfBand?: OutOfBandParts): ReceivedAnswers {
  try {
    const frame = unpack(flags, body, outOfBand);
    const [ids, , kinds, values, places] = frame.columns;
    const isStream = Array.isArray(kinds) && kinds.includes(AnswerKind.item) && Array.isArray(values);
    const sizes = isStream ? sizesOf(values, { ids, places, bytes: frame.counted }) : undefined;
    place(frame, 3, 4);
    return answersOf(frame, sizes);
  } catch (error) {
    throw asBodyError(error);
  }
}

const IDS = /^\s*\[[^[\],]*,\s*\[([^[\]]*)\]/;

/** Ids of the calls in a body that could not be read: its second column, whatever comes behind it. */
export function idsOf(flags: number, body: Uint8Array): number[] {
  const text = lenient.decode((flags & FrameFlag.attachments) === 0 ? body : body.subarray(LENGTH_BYTES));
  const [, ids = ""] = IDS.exec(text) ?? [];
  return ids === "" ? [] : ids.split(",").map(Number).filter(isId);
}

const lenient = new TextDecoder();

interface Frame {
  readonly columns: readonly unknown[];
  /** Whether JSON alone says all of its values, by its sender, and none may be too deep. */
  readonly isPlain: boolean;
  /** Characters of the text and bytes beside it, as its sender counts them. */
  readonly counted: number;
  /** What is beside the text, where something is. */
  readonly beside: { readonly source: PartSource; readonly outOfBand: OutOfBandParts | undefined } | null;
}

/** @throws {BodyError} */
function unpack(flags: number, body: Uint8Array, outOfBand: OutOfBandParts | undefined): Frame {
  if ((flags & FrameFlag.attachments) === 0) {
    outOfBand?.close();
    const text = utf8Text(body);
    const { columns, mayBeDeep } = columnsOf(text);
    const isPlain = (flags & FrameFlag.plain) !== 0 && !mayBeDeep;
    return { columns, isPlain, counted: text.length, beside: null };
  }
  if (body.length < LENGTH_BYTES) throw new BodyError("attachments: the length of the text is missing");
  const end = LENGTH_BYTES + new DataView(body.buffer, body.byteOffset, LENGTH_BYTES).getUint32(0);
  if (end > body.length) throw new BodyError("attachments: the text is longer than the frame");
  const text = utf8Text(body.subarray(LENGTH_BYTES, end));
  const { columns } = columnsOf(text);
  const counted = text.length + body.length - end + (outOfBand?.bytes ?? 0);
  return {
    columns,
    isPlain: false,
    counted,
    beside: { source: new PartSource(body.subarray(end), end, outOfBand), outOfBand },
  };
}

/** Puts what is beside the text into column `values`, where column `places` says. @throws {BodyError} */
function place({ columns, beside }: Frame, values: number, places: number): void {
  if (beside === null) return;
  const list = columns[places];
  if (Array.isArray(columns[values]) && Array.isArray(list)) {
    for (const entry of list) putPlace(columns[values], entry, beside.source);
  }
  beside.outOfBand?.close();
}

function columnsOf(text: string): { readonly columns: readonly unknown[]; readonly mayBeDeep: boolean } {
  const { value: columns, mayBeDeep } = readText(text);
  if (!Array.isArray(columns)) throw new BodyError("the body is not a list of columns");
  return { columns, mayBeDeep };
}

/** Values that share their frame with those of other calls are written again to measure them. */
function sizesOf(
  values: readonly unknown[],
  { ids, places, bytes }: { readonly ids: unknown; readonly places: unknown; readonly bytes: number },
): number[] {
  const [first]: readonly unknown[] = Array.isArray(ids) ? ids : [];
  if (Array.isArray(ids) && ids.every((id) => id === first)) return values.map(() => bytes / values.length);
  const sizes = values.map((value) => JSON.stringify(value).length);
  for (const place of Array.isArray(places) ? places : []) {
    const [path, content, kind]: unknown[] = Array.isArray(place) ? place : [];
    const index: unknown = Array.isArray(path) ? path[0] : undefined;
    // The time of a date is no length.
    if (typeof index !== "number" || !(index in sizes) || !isId(content) || !hasBytes(kind)) continue;
    sizes[index] = (sizes[index] ?? 0) + content;
  }
  return sizes;
}

/** @throws {BodyError} */
function callsOf({ columns, isPlain }: Frame): ReceivedCalls {
  const [settledBelow, ids, attempts, commands, params, options] = columns;
  if (typeof settledBelow !== "number" || !Array.isArray(ids) || !Array.isArray(commands) || !Array.isArray(params)) {
    throw new BodyError("calls frame: columns are missing");
  }
  if (ids.length !== commands.length || ids.length !== params.length) {
    throw new BodyError("calls frame: columns differ in length");
  }
  const attemptColumn = listOr(attempts);
  const optionColumn = listOr(options);
  const shared = optionColumn === undefined ? readHeaders(options) : null;
  const calls = new Array<ReceivedCall>(ids.length);
  for (let index = 0; index < ids.length; index++) {
    const id: unknown = ids[index];
    const attempt = attemptColumn === undefined ? 1 : attemptColumn[index];
    const command: unknown = commands[index];
    const list: unknown = params[index];
    if (!isId(id) || !isId(attempt) || typeof command !== "string" || !Array.isArray(list)) {
      throw new BodyError(`calls frame: call ${index} has a wrong type in a column`);
    }
    const headers = optionColumn === undefined ? shared : readHeaders(optionColumn[index]);
    calls[index] = { id, attempt, command, params: list, options: headers, isPlain };
  }
  return { settledBelow, calls };
}

/** @param sizes see there. @throws {BodyError} */
function answersOf({ columns, isPlain }: Frame, sizes?: readonly number[]): ReceivedAnswers {
  const [ids, attempts, kinds, values] = columns;
  if (!Array.isArray(ids) || !Array.isArray(values) || ids.length !== values.length) {
    throw new BodyError("answers frame: columns are missing or differ in length");
  }
  return { ids, attempts: listOr(attempts), kinds: readKinds(listOr(kinds), values), values, sizes, isPlain };
}

export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** What `kinds` says of `values`, of which those that are nothing become undefined. @throws {BodyError} */
function readKinds(kinds: readonly unknown[] | undefined, values: unknown[]): readonly number[] | undefined {
  if (kinds === undefined) return undefined;
  return values.map((_, index) => {
    const kind = kinds[index];
    if (typeof kind !== "number") throw new BodyError(`answers frame: answer ${index} has no kind`);
    if (kind === AnswerKind.nothing) values[index] = undefined;
    return kind;
  });
}

function listOr(column: unknown): readonly unknown[] | undefined {
  return Array.isArray(column) ? column : undefined;
}
