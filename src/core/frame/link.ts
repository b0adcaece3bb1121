/**
 * Frames on a channel: everything that is sent in one turn of the event loop leaves in one write, what arrives is checked, and a
 * peer that breaks the framing is cut off with a reason.
 *
 * @module
 */

import type { Channel, Clock } from "../../runtime/runtime.ts";
import type { Packed } from "./batch.ts";
import { bestCodec, type CodecName } from "./codec.ts";
import { FrameType, HEADER_BYTES, isKnownType, writeHeader } from "./header.ts";
import { PartialFrame } from "./partial_frame.ts";
import { FrameReader } from "./reader.ts";
import { excerpt, writeText } from "./text.ts";

/** Bodies in a row that can't be understood before the peer is given up. */
const MAX_REFUSED_IN_A_ROW = 3;
const SLAB_BYTES = 64 * 1024;

export interface LinkEvents {
  /** A whole frame. What it throws refuses this frame; three refused in a row close the link. */
  frame(type: number, flags: number, body: Uint8Array): void;
  /** A refused frame, or the first one of an unknown type. `excerpt`: the first 32 bytes of its body, printable. */
  refused(reason: string, excerpt: string): void;
  /** The transport has taken all that was written. */
  drained(): void;
  /** The link has ended, for `reason` where brokkr or the transport ended it. Called once. */
  closed(reason: string | null): void;
}

export class Link {
  readonly #channel: Channel;
  readonly clock: Clock;
  readonly #reader: FrameReader;
  readonly #events: LinkEvents;
  readonly #frameLimit: number;
  readonly #batches = new Set<() => void>();
  readonly #ignored = new Map<number, number>();
  readonly #whenDrained = new Set<() => void>();
  #isAwaited = false;
  #slab = new Uint8Array(SLAB_BYTES);
  #start = 0;
  #end = 0;
  #scheduled = false;
  #closed = false;
  #codec: CodecName = "json";
  #refused = 0;
  #receivedAt: number;
  readonly #partial: PartialFrame;

  constructor(channel: Channel, clock: Clock, options: { frameLimit: number; events: LinkEvents }) {
    this.#channel = channel;
    this.clock = clock;
    this.#events = options.events;
    this.#frameLimit = options.frameLimit;
    this.#receivedAt = clock.now();
    this.#reader = new FrameReader(options.frameLimit, (type, flags, body) => this.#take(type, flags, body));
    this.#partial = new PartialFrame(clock, () => this.#receivedAt, (reason) => this.close(reason));
    channel.open({
      data: (chunk) => this.#data(chunk),
      drained: () => this.#drained(),
      closed: (error) => this.#finish(error === undefined ? null : error.message),
    });
  }

  /** When bytes last arrived, on the clock. */
  get receivedAt(): number {
    return this.#receivedAt;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How values are written on this link. */
  get codec(): CodecName {
    return this.#codec;
  }

  /** From now on values are written in the best codec of those that the peer's hello offers. */
  speak(offered: unknown): void {
    this.#codec = bestCodec(offered);
  }

  /** Bytes that wait in this process. */
  get unsentBytes(): number {
    return this.#channel.unsentBytes + this.#end - this.#start;
  }

  /** Frames of each unknown type that came. A newer peer may send them; they are ignored. */
  get ignored(): ReadonlyMap<number, number> {
    return this.#ignored;
  }

  /** Whether `limit` bytes or more wait in this process. Then `drained` comes when they are out. */
  isOver(limit: number): boolean {
    const isOver = this.unsentBytes >= limit;
    if (isOver) this.#isAwaited = true;
    return isOver;
  }

  /** Runs `fn` once, when the transport has taken all that was written. */
  onceDrained(fn: () => void): void {
    this.#whenDrained.add(fn);
  }

  /** Runs `batch`, which sends what it has gathered, at the end of this turn. */
  schedule(batch: () => void): void {
    this.#batches.add(batch);
    this.#wake();
  }

  /** The same after what the event loop has ready now, where nothing else makes it sooner. */
  scheduleLater(batch: () => void): void {
    this.#batches.add(batch);
    this.clock.soon(() => this.flush());
  }

  /** Puts one frame into this turn's write. */
  send(type: number, text: string): void {
    if (this.#closed) return;
    const at = this.#reserve(HEADER_BYTES + text.length * 3);
    const length = writeText(text, this.#slab.subarray(at + HEADER_BYTES));
    if (length > this.#frameLimit) return this.#tooLarge(type, length);
    writeHeader(this.#slab, at, { type, flags: 0, length });
    this.#end = at + HEADER_BYTES + length;
    this.#wake();
  }

  /** Puts one frame of several parts into this turn's write; parts that stay as they are go to the transport by themselves. */
  sendParts(type: number, { flags, parts, steady }: Packed): void {
    if (this.#closed) return;
    let length = 0;
    let copied = HEADER_BYTES;
    for (const part of parts) {
      length += part.length;
      if (steady?.has(part) !== true) copied += part.length;
    }
    if (length > this.#frameLimit) return this.#tooLarge(type, length);
    const at = this.#reserve(copied);
    writeHeader(this.#slab, at, { type, flags, length });
    this.#end = at + HEADER_BYTES;
    for (const part of parts) {
      if (steady?.has(part) === true) {
        this.#writeOut();
        this.#channel.write(part);
      } else {
        this.#slab.set(part, this.#end);
        this.#end += part.length;
      }
    }
    this.#wake();
  }

  /** Writes what was gathered without waiting for the end of the turn. */
  flush(): void {
    const batches = [...this.#batches];
    this.#batches.clear();
    for (const batch of batches) batch();
    this.#writeOut();
    // The transport tells of what it had to keep, and not of what it took at once.
    if (this.#isAwaited && this.#channel.unsentBytes === 0) Promise.resolve().then(() => this.#drained());
  }

  /** Tells the peer why and ends the link after what was sent is out. */
  close(reason: string | null): void {
    if (this.#closed) return;
    this.flush();
    if (reason !== null) this.send(FrameType.close, JSON.stringify({ reason }));
    this.#writeOut();
    this.#channel.close();
    this.#finish(reason);
  }

  #data(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#receivedAt = this.clock.now();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#partial.look(this.#reader.partial && !this.#closed);
  }

  #take(type: number, flags: number, body: Uint8Array): void {
    if (this.#closed) return;
    if (!isKnownType(type)) return this.#ignore(type, body);
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

  #ignore(type: number, body: Uint8Array): void {
    const count = (this.#ignored.get(type) ?? 0) + 1;
    this.#ignored.set(type, count);
    if (count === 1) this.#events.refused(`unknown frame type ${type}, ignored from now on`, excerpt(body));
  }

  /** The peer would end the link over such a frame. */
  #tooLarge(type: number, length: number): void {
    this.#events.refused(
      `not sent: a frame of type ${type} has ${length} bytes and the limit is ${this.#frameLimit}`,
      "",
    );
  }

  #drained(): void {
    this.#isAwaited = false;
    const waiting = [...this.#whenDrained];
    this.#whenDrained.clear();
    for (const fn of waiting) fn();
    this.#events.drained();
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

  #finish(reason: string | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#partial.look(false);
    this.#batches.clear();
    this.#events.closed(reason);
  }
}
