/**
 * Frames that hold many calls or many answers as columns: which ones, in which order, and what makes them wrong. The codecs only
 * write and read the columns.
 *
 *     calls    [settledBelow, ids, attempts | 0, commands, params, options | 0, attachments?]
 *     answers  [ids, attempts | 0, kinds | 0, values, attachments?]
 *
 * `attempts` is 0 where all are first attempts, `kinds` where all are values, `options` where no call has any.
 *
 * @module
 */

import type { EncodedValue } from "./codec.ts";
import { BodyError, type Packed } from "./frame.ts";
import { type CallHeaders, readHeaders } from "./messages.ts";

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

/** What an answer's value means. */
export const AnswerKind = {
  value: 0,
  /** The handler returned undefined, which JSON has no word for. */
  nothing: 1,
  /** The handler threw: a `ThrownError`. */
  thrown: 2,
  /** One of brokkr's own errors: a `BrokerFault`. */
  fault: 3,
  /** One item of a stream; the answer comes after the last one. */
  item: 4,
  /** How far the handler is; the answer is still to come. */
  progress: 5,
} as const;

/** How a codec writes the columns of one frame, one after the other. */
export interface ColumnWriter {
  begin(columns: number): void;
  number(value: number): void;
  numbers<E>(entries: readonly E[], numberOf: (entry: E) => number): void;
  texts<E>(entries: readonly E[], textOf: (entry: E) => string): void;
  values<E>(entries: readonly E[], valueOf: (entry: E) => EncodedValue): void;
  headers<E>(entries: readonly E[], headersOf: (entry: E) => CallHeaders | null): void;
  end(): Packed;
}

export function writeCalls(frame: ColumnWriter, calls: readonly CallEntry[], settledBelow: number): Packed {
  frame.begin(6);
  frame.number(settledBelow);
  frame.numbers(calls, (call) => call.id);
  if (calls.every((call) => call.attempt === 1)) frame.number(0);
  else frame.numbers(calls, (call) => call.attempt);
  frame.texts(calls, (call) => call.command);
  frame.values(calls, (call) => call.params);
  if (calls.every((call) => call.options === null)) frame.number(0);
  else frame.headers(calls, (call) => call.options);
  return frame.end();
}

export function writeAnswers(frame: ColumnWriter, answers: readonly AnswerEntry[]): Packed {
  frame.begin(4);
  frame.numbers(answers, (answer) => answer.id);
  if (answers.every((answer) => answer.attempt === 1)) frame.number(0);
  else frame.numbers(answers, (answer) => answer.attempt);
  if (answers.every((answer) => answer.kind === AnswerKind.value)) frame.number(0);
  else frame.numbers(answers, (answer) => answer.kind);
  frame.values(answers, (answer) => answer.value);
  return frame.end();
}

export interface ReceivedCall {
  readonly id: number;
  readonly attempt: number;
  readonly command: string;
  readonly params: readonly unknown[];
  readonly options: CallHeaders | null;
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
}

/** The calls of a frame with these columns; `commands` may be one text for all of them. @throws {BodyError} */
export function readCalls([settledBelow, ids, attempts, commands, params, options]: readonly unknown[]): ReceivedCalls {
  const command = typeof commands === "string" ? commands : undefined;
  const commandColumn = command === undefined ? commands : ids;
  if (
    typeof settledBelow !== "number" || !Array.isArray(ids) || !Array.isArray(commandColumn) || !Array.isArray(params)
  ) {
    throw new BodyError("calls frame: columns are missing");
  }
  if (ids.length !== commandColumn.length || ids.length !== params.length) {
    throw new BodyError("calls frame: columns differ in length");
  }
  const attemptColumn = listOr(attempts);
  const optionColumn = listOr(options);
  const calls = new Array<ReceivedCall>(ids.length);
  for (let index = 0; index < ids.length; index++) {
    const id: unknown = ids[index];
    const attempt = attemptColumn === undefined ? 1 : attemptColumn[index];
    const name: unknown = command ?? commandColumn[index];
    const list: unknown = params[index];
    if (!isId(id) || !isId(attempt) || typeof name !== "string" || !Array.isArray(list)) {
      throw new BodyError(`calls frame: call ${index} has a wrong type in a column`);
    }
    const headers = optionColumn === undefined ? null : readHeaders(optionColumn[index]);
    calls[index] = { id, attempt, command: name, params: list, options: headers };
  }
  return { settledBelow, calls };
}

/** The answers of a frame with these columns. @param sizes see there. @throws {BodyError} */
export function readAnswers(
  [ids, attempts, kinds, values]: readonly unknown[],
  sizes?: readonly number[],
): ReceivedAnswers {
  if (!Array.isArray(ids) || !Array.isArray(values) || ids.length !== values.length) {
    throw new BodyError("answers frame: columns are missing or differ in length");
  }
  return { ids, attempts: listOr(attempts), kinds: readKinds(listOr(kinds), values), values, sizes };
}

/** Whether a column of kinds has an item of a stream. */
export function hasItems(kinds: unknown): boolean {
  return Array.isArray(kinds) && kinds.includes(AnswerKind.item);
}

export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

const BATCH_BYTES = 256 * 1024;
/** What an entry has beside its value: an id, an attempt, a kind. */
const ENTRY_BYTES = 64;

/** Hands on entries frame by frame: a frame is closed when it holds 256 KiB, and a larger entry has one of its own. */
export function inBatches<T>(
  entries: readonly T[],
  bytesOf: (entry: T) => number,
  send: (batch: readonly T[]) => void,
): void {
  let from = 0;
  let bytes = 0;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const size = bytesOf(entry) + ENTRY_BYTES;
    if (index > from && bytes + size > BATCH_BYTES) {
      send(entries.slice(from, index));
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from === 0 && entries.length > 0) send(entries);
  else if (from > 0) send(entries.slice(from));
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
