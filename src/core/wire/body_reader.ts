/**
 * Reading the bodies of calls and answers in whichever codec they came.
 *
 * @module
 */

import type { ApartParts } from "./apart.ts";
import { hasItems, readKinds } from "./answer_kind.ts";
import { isId, readAnswers, readCalls, type ReceivedAnswers, type ReceivedCall } from "./batch.ts";
import { asBodyError, BodyError } from "./body_error.ts";
import { readHeaders } from "./call_headers.ts";
import { CompactReader } from "./compact_reader.ts";
import { FrameFlag } from "./header.ts";

const NO_ANSWERS: ReceivedAnswers = { ids: [], attempts: undefined, kinds: undefined, values: [], sizes: undefined };

interface ReceivedCalls {
  readonly settledBelow: number;
  readonly calls: ReceivedCall[];
}

const IDS = /^\s*\[[^[\],]*,\s*\[([^[\]]*)\]/;
const lenient = new TextDecoder();

const WHOLE = { apart: undefined };

/** One direction of one stream, since the shapes that were told on it are known here. */
export class BodyReader {
  #compact: CompactReader | undefined;
  readonly #source: { readonly apart: ApartParts | undefined };

  /** @param source knows what lies apart of the body that is read. @default nothing does */
  constructor(source: { readonly apart: ApartParts | undefined } = WHOLE) {
    this.#source = source;
  }

  /** Nothing where the frame only told shapes. @throws {BodyError} */
  calls(flags: number, body: Uint8Array): ReceivedCalls | undefined {
    try {
      return this.#calls(flags, body);
    } catch (error) {
      throw asBodyError(error);
    }
  }

  /** Ids of the calls in a body that could not be read, as far as they can be told. */
  idsOf(flags: number, body: Uint8Array): number[] {
    if ((flags & FrameFlag.compact) === 0) return idsIn(flags, body);
    if ((flags & FrameFlag.shapes) !== 0) return [];
    try {
      const reader = this.#open(body);
      reader.listLength();
      reader.next();
      return readIds(reader).filter(isId);
    } catch {
      return [];
    }
  }

  /** @throws {BodyError} */
  answers(flags: number, body: Uint8Array): ReceivedAnswers {
    try {
      return this.#answers(flags, body);
    } catch (error) {
      throw asBodyError(error);
    }
  }

  #calls(flags: number, body: Uint8Array): ReceivedCalls | undefined {
    if ((flags & FrameFlag.compact) === 0) return readCalls(flags, body);
    const reader = this.#open(body);
    if ((flags & FrameFlag.shapes) !== 0) return learnShapes(reader);
    columns(reader, 6);
    const settledBelow = reader.next();
    if (typeof settledBelow !== "number") throw new BodyError("calls frame: columns are missing");
    const ids = readIds(reader);
    const count = ids.length;
    const attempts = optional(reader, count);
    const commands = reader.next();
    if (typeof commands !== "string" && !isColumn(commands, count)) {
      throw new BodyError("calls frame: columns differ in length");
    }
    if (reader.listLength() !== count) throw new BodyError("calls frame: columns differ in length");
    const calls = new Array<ReceivedCall>(count);
    for (let index = 0; index < count; index++) {
      const id = ids[index];
      const attempt = attempts === undefined ? 1 : attempts[index];
      const command = typeof commands === "string" ? commands : commands[index];
      const params = reader.next();
      if (!isId(id) || !isId(attempt) || typeof command !== "string" || !Array.isArray(params)) {
        throw new BodyError(`calls frame: call ${index} has a wrong type in a column`);
      }
      calls[index] = { id, attempt, command, params, options: null };
    }
    const options = optional(reader, count);
    reader.close();
    if (options === undefined) return { settledBelow, calls };
    return { settledBelow, calls: calls.map((call, index) => ({ ...call, options: readHeaders(options[index]) })) };
  }

  #answers(flags: number, body: Uint8Array): ReceivedAnswers {
    if ((flags & FrameFlag.compact) === 0) return readAnswers(flags, body);
    const reader = this.#open(body);
    if ((flags & FrameFlag.shapes) !== 0) {
      learnShapes(reader);
      return NO_ANSWERS;
    }
    columns(reader, 4);
    const ids = readIds(reader);
    const count = ids.length;
    const attempts = optional(reader, count);
    const kinds = optional(reader, count);
    if (reader.listLength() !== count) throw new BodyError("answers frame: columns are missing or differ in length");
    const values = new Array<unknown>(count);
    const sizes = hasItems(kinds) ? new Array<number>(count) : undefined;
    for (let index = 0; index < count; index++) {
      const before = reader.readBytes;
      values[index] = reader.next();
      if (sizes !== undefined) sizes[index] = reader.readBytes - before;
    }
    reader.close();
    return { ids, attempts, kinds: readKinds(kinds, values), values, sizes };
  }

  #open(body: Uint8Array): CompactReader {
    this.#compact ??= new CompactReader();
    this.#compact.open(body, this.#source.apart);
    return this.#compact;
  }
}

/** The second column, whatever comes behind it. */
function idsIn(flags: number, body: Uint8Array): number[] {
  const text = lenient.decode((flags & FrameFlag.attachments) === 0 ? body : body.subarray(4));
  const [, ids = ""] = IDS.exec(text) ?? [];
  return ids === "" ? [] : ids.split(",").map(Number).filter(isId);
}

function learnShapes(reader: CompactReader): undefined {
  columns(reader, 2);
  const first = reader.next();
  const shapes = reader.next();
  reader.close();
  if (!Array.isArray(shapes) || !reader.shapes.learn(first, shapes)) throw new BodyError("shapes that are none");
}

function columns(reader: CompactReader, count: number): void {
  if (reader.listLength() !== count) throw new BodyError("the body is not a list of columns");
}

function readIds(reader: CompactReader): unknown[] {
  const count = reader.listLength();
  const ids = new Array<unknown>(count);
  for (let index = 0; index < count; index++) ids[index] = reader.next();
  return ids;
}

/** A column of `count`, or undefined where 0 stands for it. */
function optional(reader: CompactReader, count: number): readonly unknown[] | undefined {
  const column = reader.next();
  if (column === 0) return undefined;
  if (!isColumn(column, count)) throw new BodyError("columns differ in length");
  return column;
}

function isColumn(column: unknown, count: number): column is readonly unknown[] {
  return Array.isArray(column) && column.length === count;
}
