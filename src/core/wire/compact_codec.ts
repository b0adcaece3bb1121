/**
 * Calls and answers as MessagePack columns. The shapes of their objects go before them in a frame of their own, so that a value
 * can be sent again, or to another process, as the bytes it is.
 *
 * @module
 */

import { BufferPool, LARGE_BYTES } from "./buffer_pool.ts";
import type { Codec, CompactBytes, EncodedValue, Span, StreamState } from "./codec.ts";
import {
  type AnswerEntry,
  type CallEntry,
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
import { CompactReader } from "./compact_reader.ts";
import { CompactWriter } from "./compact_writer.ts";
import { BodyError, FrameFlag, type Packed } from "./frame.ts";
import { type CallHeaders, headerEntries } from "./messages.ts";
import { explained, OverLimitError, Scan } from "./serializable.ts";
import { Shapes } from "./shapes.ts";
import type { OutOfBandParts } from "./shared_memory.ts";

export class CompactCodec implements Codec {
  readonly name = "compact";
  readonly #shapes = new Shapes();
  readonly #pool = new BufferPool();
  readonly #values = new CompactWriter(this.#shapes, this.#pool);
  readonly #frame = new CompactColumns();
  #isBusy = false;

  encode(value: unknown, name: string, limit = Infinity): CompactBytes {
    // What is encoded may call a function of the program, which may make a call.
    const writer = this.#isBusy ? new CompactWriter(this.#shapes, this.#pool) : this.#values;
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    writer.begin();
    writer.limit = limit;
    try {
      writer.value(value);
    } catch (error) {
      writer.discard();
      if (error instanceof OverLimitError) throw error;
      // Refused, or only deep: the closer look finds out.
      explained(() => {
        new Scan(name, { rich: true }, limit).look(value);
        writer.value(value, false);
      });
    } finally {
      this.#isBusy = wasBusy;
    }
    const { buffer, start, end, large } = writer;
    if (large !== undefined) return { buffer, start, bytes: end - start, large };
    return { buffer, start, bytes: end - start };
  }

  takeBack(value: EncodedValue): void {
    const writer = this.#values;
    if (value.buffer === writer.buffer && value.start === writer.start) writer.discard();
  }

  release(value: EncodedValue): void {
    if (value.buffer !== undefined && value.bytes > LARGE_BYTES) this.#pool.give(value.buffer);
  }

  before(stream: StreamState): Packed | undefined {
    const shapes = this.#shapes.unsent(stream);
    const first = shapes[0];
    if (first === undefined) return undefined;
    const frame = this.#frame;
    frame.begin(2);
    frame.number(first.number);
    frame.keys(shapes);
    return { ...frame.end(), flags: FrameFlag.compact | FrameFlag.shapes };
  }

  calls(calls: readonly CallEntry[], settledBelow: number): Packed {
    return writeCalls(this.#frame, calls, settledBelow);
  }

  answers(answers: readonly AnswerEntry[]): Packed {
    return writeAnswers(this.#frame, answers);
  }
}

class CompactColumns implements ColumnWriter {
  readonly #bytes = new CompactWriter(new Shapes());
  /** Parts of the frame, up to where the last one was cut. */
  #parts: Uint8Array[] = [];
  #steady: Set<Uint8Array> | undefined;
  #large: Set<Uint8Array> | undefined;
  #cutAt = 0;

  begin(columns: number): void {
    this.#parts = [];
    this.#steady = undefined;
    this.#large = undefined;
    this.#cutAt = 0;
    this.#bytes.restart();
    this.#bytes.list(columns);
  }

  number(value: number): void {
    this.#bytes.integer(value);
  }

  numbers<E>(entries: readonly E[], numberOf: (entry: E) => number): void {
    this.#bytes.list(entries.length);
    for (const entry of entries) this.#bytes.integer(numberOf(entry));
  }

  /** One text where all are the same. */
  texts<E>(entries: readonly E[], textOf: (entry: E) => string): void {
    const first = entries[0] === undefined ? undefined : textOf(entries[0]);
    if (first !== undefined && entries.every((entry) => textOf(entry) === first)) return this.#bytes.text(first);
    this.#bytes.list(entries.length);
    for (const entry of entries) this.#bytes.text(textOf(entry));
  }

  /** Values that were encoded one after the other are copied as one. */
  values<E>(entries: readonly E[], valueOf: (entry: E) => EncodedValue): void {
    this.#bytes.list(entries.length);
    let buffer: Uint8Array | undefined;
    let from = 0;
    let to = 0;
    for (const entry of entries) {
      const value = valueOf(entry);
      if (value.buffer === undefined) throw new TypeError("Cannot send a value: it is encoded for another codec");
      if (value.bytes >= LARGE_BYTES && value.large !== undefined) {
        if (buffer !== undefined) this.#copy(buffer, from, to);
        buffer = undefined;
        this.#split(value, value.large);
        continue;
      }
      if (value.buffer === buffer && value.start === to) {
        to += value.bytes;
        continue;
      }
      if (buffer !== undefined) this.#copy(buffer, from, to);
      buffer = value.buffer;
      from = value.start;
      to = from + value.bytes;
    }
    if (buffer !== undefined) this.#copy(buffer, from, to);
  }

  headers<E>(entries: readonly E[], headersOf: (entry: E) => CallHeaders | null): void {
    this.#bytes.list(entries.length);
    for (const entry of entries) this.#bytes.headers(headerEntries(headersOf(entry)));
  }

  keys(shapes: readonly { readonly keys: readonly string[] }[]): void {
    this.#bytes.list(shapes.length);
    for (const { keys } of shapes) {
      this.#bytes.list(keys.length);
      for (const key of keys) this.#bytes.text(key);
    }
  }

  end(): Packed {
    this.#cut();
    const [parts, steady, large] = [this.#parts, this.#steady, this.#large];
    const flags = FrameFlag.compact;
    if (steady === undefined) return { flags, parts };
    return large === undefined ? { flags, parts, steady } : { flags, parts, steady, large };
  }

  /** A value whose large texts and bytes may go out of band. */
  #split({ buffer, start, bytes }: CompactBytes, large: readonly Span[]): void {
    this.#large ??= new Set();
    let from = start;
    for (const span of large) {
      this.#copy(buffer, from, start + span.start);
      from = start + span.start + span.length;
      this.#large.add(this.#keep(buffer, start + span.start, from));
    }
    this.#copy(buffer, from, start + bytes);
  }

  /** What is large becomes a part of the frame without a copy. */
  #copy(buffer: Uint8Array, from: number, to: number): void {
    if (to - from < LARGE_BYTES) this.#bytes.raw(buffer, from, to);
    else this.#keep(buffer, from, to);
  }

  #keep(buffer: Uint8Array, from: number, to: number): Uint8Array {
    this.#cut();
    const part = buffer.subarray(from, to);
    this.#parts.push(part);
    this.#steady ??= new Set();
    this.#steady.add(part);
    return part;
  }

  #cut(): void {
    const { buffer, end } = this.#bytes;
    this.#parts.push(buffer.subarray(this.#cutAt, end));
    this.#cutAt = end;
  }
}

/** Reads what came on one stream, whose shapes it knows. */
export class CompactBodyReader {
  readonly #reader = new CompactReader();

  /** Undefined where the frame only had shapes. @throws {BodyError} */
  calls(flags: number, body: Uint8Array, outOfBand?: OutOfBandParts): ReceivedCalls | undefined {
    const reader = this.#begin(body, outOfBand);
    if ((flags & FrameFlag.shapes) !== 0) return this.#learn();
    this.#columns(6);
    const settledBelow = reader.next();
    if (typeof settledBelow !== "number") throw new BodyError("calls frame: columns are missing");
    const ids = reader.items();
    const attempts = this.#optional(ids.length);
    const commands = reader.next();
    const params = reader.items();
    const options = this.#optional(ids.length);
    reader.close();
    if (typeof commands !== "string" && !Array.isArray(commands)) {
      throw new BodyError("calls frame: columns differ in length");
    }
    return readCalls([settledBelow, ids, attempts, commands, params, options]);
  }

  /** @throws {BodyError} */
  answers(flags: number, body: Uint8Array, outOfBand?: OutOfBandParts): ReceivedAnswers {
    const reader = this.#begin(body, outOfBand);
    if ((flags & FrameFlag.shapes) !== 0) {
      this.#learn();
      return NO_ANSWERS;
    }
    this.#columns(4);
    const ids = reader.items();
    const attempts = this.#optional(ids.length);
    const kinds = this.#optional(ids.length);
    const sizes: number[] | undefined = hasItems(kinds) ? [] : undefined;
    const values = reader.items(sizes);
    reader.close();
    return readAnswers([ids, attempts, kinds, values], sizes);
  }

  /** Ids of the calls in a body that could not be read, as far as they can be found. */
  idsOf(flags: number, body: Uint8Array, outOfBand?: OutOfBandParts): number[] {
    if ((flags & FrameFlag.shapes) !== 0) return [];
    try {
      const reader = this.#begin(body, outOfBand);
      reader.listLength();
      reader.next();
      return reader.items().filter(isId);
    } catch {
      return [];
    }
  }

  #begin(body: Uint8Array, outOfBand: OutOfBandParts | undefined): CompactReader {
    this.#reader.open(body, outOfBand);
    return this.#reader;
  }

  #columns(count: number): void {
    if (this.#reader.listLength() !== count) throw new BodyError("the body is not a list of columns");
  }

  /** A column of `count`, or undefined where 0 stands for it. */
  #optional(count: number): readonly unknown[] | undefined {
    const column = this.#reader.next();
    if (column === 0) return undefined;
    if (!Array.isArray(column) || column.length !== count) throw new BodyError("columns differ in length");
    return column;
  }

  #learn(): undefined {
    this.#columns(2);
    const first = this.#reader.next();
    const shapes = this.#reader.next();
    this.#reader.close();
    if (!Array.isArray(shapes) || !this.#reader.shapes.learn(first, shapes)) {
      throw new BodyError("shapes that are none");
    }
  }
}

const NO_ANSWERS: ReceivedAnswers = { ids: [], attempts: undefined, kinds: undefined, values: [], sizes: undefined };
