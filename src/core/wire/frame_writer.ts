/**
 * Frames on their way to a channel: small ones are gathered, so that those of one turn leave in one write.
 *
 * @module
 */

import type { Channel } from "../../runtime/runtime.ts";
import type { Packed } from "./batch.ts";
import { HEADER_BYTES, writeHeader } from "./header.ts";
import { writeText } from "./text.ts";

const SLAB_BYTES = 64 * 1024;

export class FrameWriter {
  readonly #channel: Channel;
  readonly #limit: number;
  #slab = new Uint8Array(SLAB_BYTES);
  #start = 0;
  #end = 0;
  /** Bytes that went to the channel. */
  #written = 0;

  /** @param limit bytes of a body. A frame over it is not written. */
  constructor(channel: Channel, limit: number) {
    this.#channel = channel;
    this.#limit = limit;
  }

  /** Bytes of all frames that were added. */
  get written(): number {
    return this.#written + this.gathered;
  }

  /** Bytes that were gathered and not written. */
  get gathered(): number {
    return this.#end - this.#start;
  }

  /** Adds a frame of text. Returns the bytes of its body. */
  text(type: number, text: string): number {
    const at = this.#reserve(HEADER_BYTES + text.length * 3);
    const length = writeText(text, this.#slab.subarray(at + HEADER_BYTES));
    if (length > this.#limit) return length;
    writeHeader(this.#slab, at, { type, flags: 0, length });
    this.#end = at + HEADER_BYTES + length;
    return length;
  }

  /** Adds a frame of several parts; those that stay as they are go to the channel without a copy. Returns the bytes of its body. */
  parts(type: number, { flags, parts, steady }: Packed): number {
    let length = 0;
    let copied = HEADER_BYTES;
    for (const part of parts) {
      length += part.length;
      if (steady?.has(part) !== true) copied += part.length;
    }
    if (length > this.#limit) return length;
    const at = this.#reserve(copied);
    writeHeader(this.#slab, at, { type, flags, length });
    this.#end = at + HEADER_BYTES;
    for (const part of parts) {
      if (steady?.has(part) === true) {
        this.writeOut();
        this.#write(part);
      } else {
        this.#slab.set(part, this.#end);
        this.#end += part.length;
      }
    }
    return length;
  }

  writeOut(): void {
    if (this.#end === this.#start) return;
    const bytes = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#written += bytes.length;
    this.#channel.write(bytes);
  }

  /** Room for `bytes` after what was gathered; moves to a new slab where the old one is too short. */
  #reserve(bytes: number): number {
    // What is out is out: the same memory again, which the processor still has at hand.
    if (this.#start === this.#end && this.#channel.unsentBytes === 0) this.#start = this.#end = 0;
    if (this.#slab.length - this.#end < bytes) {
      this.writeOut();
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, bytes));
      this.#start = 0;
      this.#end = 0;
    }
    return this.#end;
  }
}
