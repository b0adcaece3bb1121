/**
 * A frame whose large parts lie apart, in memory that both processes have open: its body without them, and where each belongs.
 *
 *     u8 type | u8 flags | u16 count | count × (u32 where in the body | u32 where in the memory | u32 length) | the rest of the body
 *
 * @module
 */

import { BodyError } from "./body_error.ts";
import { FrameError, FrameType } from "./header.ts";

const HEAD_BYTES = 4;
const SPAN_BYTES = 12;
/** More parts of one frame than this stay in its body. */
export const MAX_SPANS = 1_000;

/** A text or bytes within an encoded value, which may lie apart. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** One part of a frame. */
export interface ApartSpan {
  /** Before which byte of the rest of the body it belongs. */
  readonly position: number;
  /** Where in the memory it begins. */
  readonly at: number;
  readonly length: number;
}

export interface ApartFrame {
  readonly type: number;
  readonly flags: number;
  readonly spans: readonly ApartSpan[];
  /** The body without them. */
  readonly rest: Uint8Array;
}

/** What stands before the rest of the body. */
export function apartHead(type: number, flags: number, spans: readonly ApartSpan[]): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES + spans.length * SPAN_BYTES);
  const view = new DataView(head.buffer);
  view.setUint8(0, type);
  view.setUint8(1, flags);
  view.setUint16(2, spans.length);
  let offset = HEAD_BYTES;
  for (const { position, at, length } of spans) {
    view.setUint32(offset, position);
    view.setUint32(offset + 4, at);
    view.setUint32(offset + 8, length);
    offset += SPAN_BYTES;
  }
  return head;
}

/** @param limit bytes of the whole body. @throws {FrameError} */
export function readApart(body: Uint8Array, limit: number): ApartFrame {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const count = body.length < HEAD_BYTES ? 0 : view.getUint16(2);
  const restAt = HEAD_BYTES + count * SPAN_BYTES;
  if (count === 0 || body.length <= restAt) throw new FrameError("Cannot read frame: it does not say what lies apart");
  const type = view.getUint8(0);
  if (type !== FrameType.calls && type !== FrameType.answers) {
    throw new FrameError(`Cannot read frame: of type ${type} nothing lies apart`);
  }
  const spans: ApartSpan[] = [];
  let total = body.length - restAt;
  for (let offset = HEAD_BYTES; offset < restAt; offset += SPAN_BYTES) {
    const length = view.getUint32(offset + 8);
    spans.push({ position: view.getUint32(offset), at: view.getUint32(offset + 4), length });
    total += length;
  }
  if (total > limit) throw new FrameError(`Cannot read frame: its length is ${total} and the limit is ${limit}`);
  return { type, flags: view.getUint8(1), spans, rest: body.subarray(restAt) };
}

/** The parts of one frame for who reads its body: each is asked for where it belongs. */
export class ApartParts {
  readonly #spans: readonly ApartSpan[];
  readonly #read: (at: number, length: number) => Uint8Array;
  #next = 0;
  #done: (() => void) | undefined;

  /** @param read what lies in the memory from `at` on. @param done called once, when nobody reads any more. */
  constructor(spans: readonly ApartSpan[], read: (at: number, length: number) => Uint8Array, done: () => void) {
    this.#spans = spans;
    this.#read = read;
    this.#done = done;
  }

  /** Bytes of all parts. */
  get bytes(): number {
    return this.#spans.reduce((sum, { length }) => sum + length, 0);
  }

  /** Whether one belongs at `position`. */
  isAt(position: number): boolean {
    return this.#spans[this.#next]?.position === position;
  }

  /** The next one, which has to have `length` bytes, in memory of its own. @throws {BodyError} */
  take(length: number): Uint8Array {
    const span = this.#spans[this.#next++];
    if (span?.length !== length) throw new BodyError("a part that lies apart has another length");
    return this.#read(span.at, length);
  }

  /** The body was read to its end. @throws {BodyError} where nobody asked for a part. */
  close(): void {
    this.end();
    if (this.#next < this.#spans.length) throw new BodyError("a part that lies apart belongs nowhere");
  }

  /** Nobody reads any more, also where the body is refused. */
  end(): void {
    this.#done?.();
    this.#done = undefined;
  }
}
