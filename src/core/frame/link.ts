/**
 * Frames on a channel: everything that is sent in one turn of the event loop leaves in one write, what arrives is checked, and a
 * peer that breaks the framing is cut off with a reason.
 *
 * @module
 */

import type { Channel, Clock } from "../../runtime/runtime.ts";
import { FrameType, HEADER_BYTES, writeHeader } from "./header.ts";
import { FrameReader } from "./reader.ts";

/** Time a peer has to complete a frame that it began. */
const PARTIAL_FRAME_MS = 10_000;
/** Bodies in a row that can't be understood before the peer is given up. */
const MAX_REFUSED_IN_A_ROW = 3;
const SLAB_BYTES = 64 * 1024;

export interface LinkEvents {
  /** A whole frame. What it throws refuses this frame; three refused in a row close the link. */
  frame(type: number, flags: number, body: Uint8Array): void;
  /** A frame that was refused. `excerpt`: the first 32 bytes of its body, printable. */
  refused(reason: string, excerpt: string): void;
  /** The transport has taken all that was written. */
  drained(): void;
  /** The link has ended, for `reason` where brokkr or the transport ended it. Called once. */
  closed(reason: string | null): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export class Link {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #reader: FrameReader;
  readonly #events: LinkEvents;
  readonly #batches = new Set<() => void>();
  #slab = new Uint8Array(SLAB_BYTES);
  #start = 0;
  #end = 0;
  #scheduled = false;
  #closed = false;
  #refused = 0;
  #receivedAt: number;
  #stopWatching: (() => void) | undefined;

  constructor(channel: Channel, clock: Clock, options: { frameLimit: number; events: LinkEvents }) {
    this.#channel = channel;
    this.#clock = clock;
    this.#events = options.events;
    this.#receivedAt = clock.now();
    this.#reader = new FrameReader(options.frameLimit, (type, flags, body) => this.#take(type, flags, body));
    channel.open({
      data: (chunk) => this.#data(chunk),
      drained: () => this.#events.drained(),
      closed: (error) => this.#end_(error === undefined ? null : error.message),
    });
  }

  /** When bytes last arrived, on the clock. */
  get receivedAt(): number {
    return this.#receivedAt;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that wait in this process. */
  get unsentBytes(): number {
    return this.#channel.unsentBytes + this.#end - this.#start;
  }

  /** Runs `batch`, which sends what it has gathered, at the end of this turn. */
  schedule(batch: () => void): void {
    this.#batches.add(batch);
    this.#wake();
  }

  /** Puts one frame into this turn's write. */
  send(type: number, text: string): void {
    if (this.#closed) return;
    const at = this.#reserve(HEADER_BYTES + text.length * 3);
    const length = encoder.encodeInto(text, this.#slab.subarray(at + HEADER_BYTES)).written;
    writeHeader(this.#slab, at, { type, flags: 0, length });
    this.#end = at + HEADER_BYTES + length;
    this.#wake();
  }

  /** Puts one frame of several parts into this turn's write. */
  sendParts(type: number, flags: number, parts: readonly Uint8Array[]): void {
    if (this.#closed) return;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    let at = this.#reserve(HEADER_BYTES + length);
    writeHeader(this.#slab, at, { type, flags, length });
    at += HEADER_BYTES;
    for (const part of parts) {
      this.#slab.set(part, at);
      at += part.length;
    }
    this.#end = at;
    this.#wake();
  }

  /** Writes what was gathered without waiting for the end of the turn. */
  flush(): void {
    const batches = [...this.#batches];
    this.#batches.clear();
    for (const batch of batches) batch();
    this.#writeOut();
  }

  /** Tells the peer why and ends the link after what was sent is out. */
  close(reason: string | null): void {
    if (this.#closed) return;
    if (reason !== null) this.send(FrameType.close, JSON.stringify({ reason }));
    this.flush();
    this.#channel.close();
    this.#end_(reason);
  }

  #data(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#receivedAt = this.#clock.now();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#watchPartial();
  }

  #take(type: number, flags: number, body: Uint8Array): void {
    if (this.#closed) return;
    try {
      this.#events.frame(type, flags, body);
      this.#refused = 0;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#events.refused(reason, excerpt(body));
      this.#refused++;
      if (this.#refused >= MAX_REFUSED_IN_A_ROW) this.close(`${MAX_REFUSED_IN_A_ROW} frames in a row were refused`);
    }
  }

  #watchPartial(): void {
    if (!this.#reader.partial) {
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    } else if (this.#stopWatching === undefined && !this.#closed) {
      this.#stopWatching = this.#clock.timer(PARTIAL_FRAME_MS, () => this.#partialIsOld());
    }
  }

  #partialIsOld(): void {
    this.#stopWatching = undefined;
    const silent = this.#clock.now() - this.#receivedAt;
    if (silent >= PARTIAL_FRAME_MS) this.close(`a frame was begun and not ended in ${PARTIAL_FRAME_MS / 1000}s`);
    else this.#stopWatching = this.#clock.timer(PARTIAL_FRAME_MS - silent, () => this.#partialIsOld());
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Two turns of the microtask queue, so that everything that one chunk of answers woke can still join the write.
    Promise.resolve().then(() => Promise.resolve()).then(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Room for `bytes` after what was gathered; moves to a new slab where the old one is too short. */
  #reserve(bytes: number): number {
    if (this.#slab.length - this.#end < bytes) {
      this.#writeOut();
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, bytes));
      this.#start = 0;
      this.#end = 0;
    }
    return this.#end;
  }

  #writeOut(): void {
    if (this.#closed || this.#end === this.#start) return;
    const bytes = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#channel.write(bytes);
  }

  #end_(reason: string | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching?.();
    this.#batches.clear();
    this.#events.closed(reason);
  }
}

/** The text of a body. @throws {TypeError} where it is not UTF-8. */
export function bodyText(body: Uint8Array): string {
  return decoder.decode(body);
}

/** UTF-8 bytes of `text`. */
export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

function excerpt(body: Uint8Array): string {
  let text = "";
  for (const byte of body.subarray(0, 32)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}
