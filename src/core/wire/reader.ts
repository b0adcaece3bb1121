/**
 * Chunks of any size in, whole frames out. A frame that lies within one chunk is handed on without copying.
 *
 * @module
 */

import { type FrameHeader, HEADER_BYTES, readHeader } from "./header.ts";

/** Gets each frame; `body` is its reader's until this returns. */
export type FrameHandler = (type: number, flags: number, body: Uint8Array) => void;

/** Memory for bodies that came in several chunks, kept for the next one up to this size: new memory costs more than the copy. */
const KEPT_BYTES = 2 * 1024 * 1024;
const SMALLEST_BYTES = 64 * 1024;
/** Memory that is used for so much less than it has is given back. */
const TOO_LARGE = 16;

export class FrameReader {
  readonly #limit: number;
  readonly #handle: FrameHandler;
  readonly #head = new Uint8Array(HEADER_BYTES);
  #headFilled = 0;
  #header: FrameHeader | undefined;
  #body: Uint8Array | undefined;
  #bodyFilled = 0;
  #memory = new Uint8Array(0);

  constructor(limit: number, handle: FrameHandler) {
    this.#limit = limit;
    this.#handle = handle;
  }

  /** Whether a frame has begun and not ended. */
  get partial(): boolean {
    return this.#headFilled > 0 || this.#header !== undefined;
  }

  /** @throws {FrameError} and then takes nothing more. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#header === undefined ? this.#readHead(chunk, at) : this.#readBody(chunk, at);
  }

  #readHead(chunk: Uint8Array, at: number): number {
    if (this.#headFilled === 0 && chunk.length - at >= HEADER_BYTES) {
      this.#header = readHeader(chunk, at, this.#limit);
      return at + HEADER_BYTES;
    }
    const part = chunk.subarray(at, at + HEADER_BYTES - this.#headFilled);
    this.#head.set(part, this.#headFilled);
    this.#headFilled += part.length;
    if (this.#headFilled === HEADER_BYTES) {
      this.#header = readHeader(this.#head, 0, this.#limit);
      this.#headFilled = 0;
    }
    return at + part.length;
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const header = this.#header;
    if (header === undefined) return at;
    const { type, flags, length } = header;
    if (this.#body === undefined && chunk.length - at >= length) {
      this.#header = undefined;
      this.#handle(type, flags, chunk.subarray(at, at + length));
      return at + length;
    }
    const body = this.#body ??= this.#bodyOf(length);
    const part = chunk.subarray(at, at + length - this.#bodyFilled);
    body.set(part, this.#bodyFilled);
    this.#bodyFilled += part.length;
    if (this.#bodyFilled === length) {
      this.#header = undefined;
      this.#body = undefined;
      this.#bodyFilled = 0;
      this.#handle(type, flags, body);
    }
    return at + part.length;
  }

  #bodyOf(length: number): Uint8Array {
    if (length > KEPT_BYTES) return new Uint8Array(length);
    const { length: kept } = this.#memory;
    if (kept < length || (kept > SMALLEST_BYTES && kept > length * TOO_LARGE)) {
      this.#memory = new Uint8Array(Math.max(length, SMALLEST_BYTES));
    }
    return this.#memory.subarray(0, length);
  }
}
