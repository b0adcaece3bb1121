/**
 * Frames on a channel: everything that is sent in one turn of the event loop leaves in one write, what arrives is checked, and a
 * peer that breaks the framing is cut off with a reason. Only what its frames are is held against a peer: what this side's own
 * code throws while one is handled is an uncaught error of this process.
 */

import type { Channel, Clock } from "../../runtime/runtime.ts";
import { messageOf, objectText } from "../user_code.ts";
import {
  bestCodec,
  BodyError,
  type CodecName,
  FrameFlag,
  FrameReader,
  FrameType,
  FrameWriter,
  isKnownType,
  type Packed,
} from "./frame.ts";
import { type OutOfBandParts, SharedMemory, type SharedMemoryOptions } from "./shared_memory.ts";

export interface LinkEvents {
  /** A whole frame. What it throws refuses this frame; three refused in a row close the link. */
  frame(type: number, flags: number, body: Uint8Array): void;
  /** A refused frame, or the first one of an unknown type. `excerpt`: the first 32 bytes of its body, printable. */
  refused(reason: string, excerpt: string): void;
  /** The transport has taken all that was written. */
  drained(): void;
  /** The link has ended, for `reason` where brokkr or, with `failed`, the transport ended it. Called once. */
  closed(reason: string | null, failed: boolean): void;
}

export interface LinkOptions {
  /** The largest body, in bytes. */
  readonly frameLimit: number;
  /** The same of a frame that is sent. @default `frameLimit` */
  readonly sendLimit?: number;
  readonly events: LinkEvents;
  /** How values are written before the peer's hello says more. @default "json" */
  readonly codec?: CodecName;
  /** Where large bodies may lie. @default they stay on the channel */
  readonly shared?: SharedMemoryOptions;
  /** Bytes from which a flush within a turn writes, for a transport to which each write is a message of its own. @default 1 */
  readonly leastWrite?: number;
}

/** Bodies in a row that can't be understood before the peer is given up. */
const MAX_REFUSED_IN_A_ROW = 3;

/** Beyond so much that waits for the peer a pong is left out: the bytes before it prove as well that this side is alive. */
const PONG_LIMIT_BYTES = 8 * 1024 * 1024;

/** Turns of the microtask queue before that of the event loop ends, so that all that one chunk of answers woke joins the write. */
const MICROTASK_TURNS = 4;
const RESOLVED = Promise.resolve();

export class Link {
  readonly #channel: Channel;
  readonly clock: Clock;
  readonly #reader: FrameReader;
  readonly #events: LinkEvents;
  readonly #sendLimit: number;
  readonly #leastWrite: number;
  #batches: (() => void)[] = [];
  readonly #ignored = new Map<number, number>();
  readonly #whenDrained = new Set<() => void>();
  #isAwaited = false;
  readonly #writer: FrameWriter;
  /** How many of them are left; 0 where nothing waits for the end of the turn. */
  #turnsLeft = 0;
  readonly #nextTurn = () => this.#turn();
  /** Whether frames are handled now, which may flush what they send themselves. */
  #isReading = false;
  /** Whether something was sent meanwhile. */
  #isDue = false;
  #closed = false;
  #codec: CodecName;
  #refused = 0;
  #receivedAt: number;
  readonly #partial: PartialFrame;
  readonly #sharedOptions: ConstructorParameters<typeof SharedMemory>[1];
  #sharedMemory: SharedMemory | undefined;
  readonly #acknowledge = () => this.#shared.acknowledge();
  /** What came out of band of the frame that is handled now. */
  outOfBand: OutOfBandParts | undefined;

  constructor(channel: Channel, clock: Clock, options: LinkOptions) {
    this.#channel = channel;
    this.clock = clock;
    this.#events = options.events;
    this.#sendLimit = options.sendLimit ?? options.frameLimit;
    this.#leastWrite = options.leastWrite ?? 1;
    this.#writer = new FrameWriter(channel, this.#sendLimit);
    this.#codec = options.codec ?? "json";
    this.#receivedAt = clock.now();
    this.#reader = new FrameReader(options.frameLimit, (type, flags, body) => this.#take(type, flags, body));
    this.#partial = new PartialFrame(clock, (reason) => this.close(reason));
    this.#sharedOptions = options;
    channel.open({
      data: (chunk) => this.#data(chunk),
      drained: () => this.#drained(),
      closed: (error) => this.#finish(error === undefined ? null : error.message, error !== undefined),
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
  negotiate(offered: unknown): void {
    this.#codec = bestCodec(offered);
  }

  /** Bytes of all frames that were given to this link. */
  get writtenBytes(): number {
    return this.#writer.written;
  }

  /** Those of them that have left this process. */
  get sentBytes(): number {
    return this.#writer.written - this.unsentBytes;
  }

  /** Bytes that wait in this process. */
  get unsentBytes(): number {
    return this.#channel.unsentBytes + this.#writer.gathered;
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
    this.#gather(batch);
    this.#wake();
  }

  /** The same after what the event loop has ready now, where nothing else makes it sooner. */
  scheduleLater(batch: () => void): void {
    this.#gather(batch);
    this.clock.soon(() => this.#endTurn());
  }

  /** Puts one frame into this turn's write. */
  send(type: number, text: string): void {
    if (!this.#closed) this.#added(type, this.#writer.text(type, text));
  }

  /** The same for one of calls or answers. */
  sendPacked(type: number, packed: Packed): void {
    if (this.#closed) return;
    if (typeof packed.body === "string" && this.#codec === "rich") {
      // A codec whose text has nothing else: what JSON has no word for would have made parts of it.
      return this.#added(type, this.#writer.text(type, packed.body, FrameFlag.plain));
    }
    const outOfBand = packed.large === undefined ? undefined : this.#shared.put(type, packed);
    if (outOfBand === undefined) this.#added(type, this.#writer.add(type, packed));
    else this.#added(FrameType.outOfBand, this.#writer.add(FrameType.outOfBand, outOfBand));
  }

  /** Most links never carry a large value. */
  get #shared(): SharedMemory {
    return this.#sharedMemory ??= new SharedMemory(
      this.clock,
      this.#sharedOptions,
      (type, text) => this.send(type, text),
    );
  }

  /** Answers a ping, but for a peer that does not read: its pongs would fill the memory. */
  pong(): void {
    if (this.unsentBytes < PONG_LIMIT_BYTES) this.send(FrameType.pong, "1");
  }

  /** Writes what was gathered without waiting for the end of the turn, unless that is too little for a write of its own. */
  flush(): void {
    this.#pack();
    if (this.#writer.gathered >= this.#leastWrite) this.#writeOut();
  }

  /** Nothing can come for a while, or comes again: the time that a frame may take does not run meanwhile. */
  hold(isHeld: boolean): void {
    this.#partial.hold(isHeld);
  }

  /** Sends the reason, and ends the link when all that was sent is out. */
  close(reason: string | null): void {
    if (this.#closed) return;
    this.#pack();
    if (reason !== null) this.send(FrameType.close, objectText({ reason }));
    this.#writer.writeOut();
    this.#channel.close();
    this.#finish(reason);
  }

  /** Ends the link at once, where the peer does not read: what waits for it is lost, the reason included. */
  abort(reason: string): void {
    if (this.#closed) return;
    this.#finish(reason);
    this.#channel.abort();
  }

  #data(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#receivedAt = this.clock.now();
    this.#isReading = true;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.close(messageOf(error));
    }
    this.#isReading = false;
    if (this.#closed) return;
    this.#partial.look(this.#reader.partial, chunk.length);
    if (!this.#isDue) return;
    this.#isDue = false;
    if (this.#batches.length > 0 || this.#writer.gathered > 0) this.#wake();
  }

  #take(type: number, flags: number, body: Uint8Array): void {
    if (this.#closed) return;
    this.#partial.ended();
    if (!isKnownType(type)) return this.#ignore(type, body);
    // The last three are of the shared memory.
    if (type >= FrameType.shared) return this.#takeShared(type, body);
    this.#handle(type, flags, body);
  }

  /** @throws {FrameError} */
  #takeShared(type: number, body: Uint8Array): void {
    if (type === FrameType.shared) return this.#shared.received(body);
    if (type === FrameType.taken) return this.#shared.acknowledged(body);
    const { type: of, flags, rest, parts } = this.#shared.take(body);
    // The answer takes the acknowledgement along.
    this.scheduleLater(this.#acknowledge);
    this.outOfBand = parts;
    this.#handle(of, flags, rest);
    this.outOfBand = undefined;
    parts.end();
  }

  #handle(type: number, flags: number, body: Uint8Array): void {
    try {
      this.#events.frame(type, flags, body);
      this.#refused = 0;
    } catch (error) {
      if (!(error instanceof BodyError)) return this.clock.throwUncaught(error);
      const reason = messageOf(error);
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

  /** A frame of `length` was added, or is too large: the peer would end the link over it. */
  #added(type: number, length: number): void {
    if (length <= this.#sendLimit) return this.#wake();
    const reason = `not sent: a frame of type ${type} has ${length} bytes and the limit is ${this.#sendLimit}`;
    this.#events.refused(reason, "");
    // The peer waits for these two for ever.
    if (type === FrameType.hello || type === FrameType.notice) this.close(reason);
  }

  #drained(): void {
    this.#isAwaited = false;
    if (this.#whenDrained.size > 0) {
      const waiting = [...this.#whenDrained];
      this.#whenDrained.clear();
      for (const fn of waiting) fn();
    }
    this.#events.drained();
  }

  #gather(batch: () => void): void {
    if (!this.#batches.includes(batch)) this.#batches.push(batch);
  }

  #wake(): void {
    if (this.#isReading) this.#isDue = true;
    else if (this.#turnsLeft === 0) {
      this.#turnsLeft = MICROTASK_TURNS;
      void RESOLVED.then(this.#nextTurn);
    }
  }

  #turn(): void {
    this.#turnsLeft--;
    if (this.#turnsLeft === 0) this.#endTurn();
    else void RESOLVED.then(this.#nextTurn);
  }

  #endTurn(): void {
    this.#pack();
    this.#writeOut();
  }

  #pack(): void {
    const batches = this.#batches;
    if (batches.length === 0) return;
    this.#batches = [];
    for (const batch of batches) batch();
  }

  #writeOut(): void {
    this.#writer.writeOut();
    // The transport reports what it had to keep, and not what it took at once.
    if (this.#isAwaited && this.#channel.unsentBytes === 0) Promise.resolve().then(() => this.#drained());
  }

  #finish(reason: string | null, failed = false): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#partial.close();
    this.#sharedMemory?.close();
    this.#batches = [];
    this.#events.closed(reason, failed);
  }
}

/** In each such time a frame ends, or so much of it comes. */
const PARTIAL_FRAME_MS = 10_000;
const LEAST_BYTES = 64 * 1024;

/**
 * A peer that begins a frame and does not end it is given up, also one that goes on byte by byte: what it sends next, a pong say,
 * would be taken for the rest of the frame for ever.
 */
class PartialFrame {
  readonly #clock: Clock;
  readonly #giveUp: (reason: string) => void;
  #stop: (() => void) | undefined;
  #bytes = 0;
  #hasEnded = false;
  /** Whether a frame has begun that can't go on for now. */
  #isHeld = false;

  constructor(clock: Clock, giveUp: (reason: string) => void) {
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  /** A frame has ended. */
  ended(): void {
    this.#hasEnded = true;
  }

  /** @param isPartial whether a frame has begun and not ended. @param bytes how many came now. */
  look(isPartial: boolean, bytes: number): void {
    if (!isPartial) this.close();
    else if (this.#stop === undefined) this.#begin();
    else this.#bytes += bytes;
  }

  hold(isHeld: boolean): void {
    if (isHeld) {
      this.#isHeld = this.#isHeld || this.#stop !== undefined;
      this.#clear();
    } else if (this.#isHeld) {
      this.#isHeld = false;
      this.#begin();
    }
  }

  /** Nothing is expected any more. */
  close(): void {
    this.#isHeld = false;
    this.#clear();
  }

  #clear(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #begin(): void {
    this.#bytes = 0;
    this.#hasEnded = false;
    this.#stop = this.#clock.timer(PARTIAL_FRAME_MS, () => {
      this.#stop = undefined;
      if (this.#hasEnded || this.#bytes >= LEAST_BYTES) this.#begin();
      else this.#giveUp(`a frame was begun and not ended in ${PARTIAL_FRAME_MS / 1000}s`);
    });
  }
}

const EXCERPT_BYTES = 32;

/** The first bytes of a body, printable. */
function excerpt(body: Uint8Array): string {
  let text = "";
  for (const byte of body.subarray(0, EXCERPT_BYTES)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}
