/**
 * Calls and answers as MessagePack columns. The shapes of their objects go before them in a frame of their own, so that a value
 * can be sent again, or to another process, as the bytes it is.
 *
 * @module
 */

import type { Span } from "./apart.ts";
import type { AnswerEntry, CallEntry, Packed } from "./batch.ts";
import { ByteWriter } from "./byte_writer.ts";
import { type CallHeaders, headerEntries } from "./call_headers.ts";
import type { Codec, CompactBytes, EncodedValue, StreamState } from "./codec.ts";
import { CompactWriter } from "./compact_writer.ts";
import { FrameFlag } from "./header.ts";
import { OverLimitError } from "./limits.ts";
import { explained, Scan } from "./scan.ts";
import { Shapes } from "./shapes.ts";
import { LARGE_BYTES, SpareMemory } from "./spare_memory.ts";

export class CompactCodec implements Codec {
  readonly name = "compact";
  readonly #shapes = new Shapes();
  readonly #memory = new SpareMemory();
  readonly #values = new CompactWriter(this.#shapes, this.#memory);
  readonly #frames = new ByteWriter();
  /** Parts of the frame that is packed, up to where the last one was cut. */
  #parts: Uint8Array[] = [];
  #steady: Set<Uint8Array> | undefined;
  #large: Set<Uint8Array> | undefined;
  #cutAt = 0;
  #isBusy = false;

  encode(value: unknown, name: string, limit = Infinity): CompactBytes {
    // What is encoded may call a function of the program, which may make a call.
    const writer = this.#isBusy ? new CompactWriter(this.#shapes, this.#memory) : this.#values;
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    writer.begin();
    writer.limit = limit;
    try {
      writer.value(value);
    } catch (error) {
      writer.discard();
      if (error instanceof OverLimitError) throw error;
      // Refused, or only deep: the closer look tells.
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
    if (value.buffer !== undefined && value.bytes > LARGE_BYTES) this.#memory.give(value.buffer);
  }

  before(stream: StreamState): Packed | undefined {
    const shapes = this.#shapes.untold(stream);
    const first = shapes[0];
    if (first === undefined) return undefined;
    const frame = this.#begin();
    frame.list(2);
    frame.integer(first.number);
    frame.list(shapes.length);
    for (const { keys } of shapes) {
      frame.list(keys.length);
      for (const key of keys) frame.text(key);
    }
    return this.#packed(FrameFlag.compact | FrameFlag.shapes);
  }

  calls(calls: readonly CallEntry[], settledBelow: number): Packed {
    const frame = this.#begin();
    frame.list(6);
    frame.integer(settledBelow);
    frame.list(calls.length);
    let isFirst = true;
    let isPlain = true;
    let command: string | undefined = calls[0]?.command;
    for (let index = 0; index < calls.length; index++) {
      const call = calls[index];
      if (call === undefined) continue;
      frame.integer(call.id);
      if (call.attempt !== 1) isFirst = false;
      if (call.options !== null) isPlain = false;
      if (call.command !== command) command = undefined;
    }
    if (isFirst) frame.integer(0);
    else {
      frame.list(calls.length);
      for (const { attempt } of calls) frame.integer(attempt);
    }
    if (command !== undefined) frame.text(command);
    else {
      frame.list(calls.length);
      for (const call of calls) frame.text(call.command);
    }
    this.#column(calls, paramsOf);
    if (isPlain) frame.integer(0);
    else {
      frame.list(calls.length);
      for (const { options } of calls) writeHeaders(frame, options);
    }
    return this.#packed(FrameFlag.compact);
  }

  answers(answers: readonly AnswerEntry[]): Packed {
    const frame = this.#begin();
    frame.list(4);
    frame.list(answers.length);
    let isFirst = true;
    let isPlain = true;
    for (let index = 0; index < answers.length; index++) {
      const answer = answers[index];
      if (answer === undefined) continue;
      frame.integer(answer.id);
      if (answer.attempt !== 1) isFirst = false;
      if (answer.kind !== 0) isPlain = false;
    }
    if (isFirst) frame.integer(0);
    else {
      frame.list(answers.length);
      for (const { attempt } of answers) frame.integer(attempt);
    }
    if (isPlain) frame.integer(0);
    else {
      frame.list(answers.length);
      for (const { kind } of answers) frame.integer(kind);
    }
    this.#column(answers, valueOf);
    return this.#packed(FrameFlag.compact);
  }

  /** Values that were encoded one after the other are copied as one. */
  #column<T>(entries: readonly T[], encodedOf: (entry: T) => EncodedValue): void {
    const frame = this.#frames;
    frame.list(entries.length);
    let buffer: Uint8Array | undefined;
    let from = 0;
    let to = 0;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index];
      if (entry === undefined) continue;
      const value = encodedOf(entry);
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

  /** A value whose large texts and bytes may lie apart from the rest of the frame. */
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

  /** What is large leaves as it is. */
  #copy(buffer: Uint8Array, from: number, to: number): void {
    if (to - from < LARGE_BYTES) this.#frames.raw(buffer, from, to);
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
    const { buffer, end } = this.#frames;
    this.#parts.push(buffer.subarray(this.#cutAt, end));
    this.#cutAt = end;
  }

  #begin(): ByteWriter {
    this.#parts = [];
    this.#steady = undefined;
    this.#large = undefined;
    this.#cutAt = 0;
    this.#frames.restart();
    return this.#frames;
  }

  #packed(flags: number): Packed {
    this.#cut();
    const [parts, steady, large] = [this.#parts, this.#steady, this.#large];
    if (steady === undefined) return { flags, parts };
    return large === undefined ? { flags, parts, steady } : { flags, parts, steady, large };
  }
}

function paramsOf(call: CallEntry): EncodedValue {
  return call.params;
}

function valueOf(answer: AnswerEntry): EncodedValue {
  return answer.value;
}

function writeHeaders(frame: ByteWriter, headers: CallHeaders | null): void {
  if (headers === null) return frame.byte(0xc0);
  const entries = headerEntries(headers);
  frame.byte(0x80 + entries.length);
  for (const [key, value] of entries) {
    frame.text(key);
    if (typeof value === "string") frame.text(value);
    else if (typeof value === "boolean") frame.byte(value ? 0xc3 : 0xc2);
    else if (typeof value !== "number") throw new TypeError(`Cannot write header "${key}": it is a ${typeof value}`);
    else if (Number.isInteger(value)) frame.integer(value);
    else frame.float(value);
  }
}
