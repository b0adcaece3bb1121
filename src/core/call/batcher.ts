/**
 * Calls and answers on their way into frames: those of one turn of the event loop share a frame, and a part of the calls leaves early,
 * so that both processes work at the same time.
 */

import { Codec, type EncodedValue, encodePayload, type PayloadFault } from "../wire/codec.ts";
import { type AnswerEntry, packAnswers, packCalls, type ReceivedCalls } from "../wire/columns.ts";
import { FrameType, inBatches, LARGE_BYTES } from "../wire/frame.ts";
import type { Link } from "../wire/link.ts";
import { WrittenHeaders } from "../wire/messages.ts";
import { objectText } from "../user_code.ts";
import type { Call } from "./call.ts";

/** What the frames of calls say of those before them. */
export interface CallsInFlight {
  /** Calls that wait for their answers. */
  readonly waiting: number;
  /** Every call with a smaller id is settled, so that the callee may drop its answer. */
  readonly settledBelow: number;
}

/** The caller's end: calls, and credit for streams. */
export class RequestBatcher {
  readonly #inFlight: CallsInFlight;
  readonly #flush = () => this.#endTurn();
  readonly #flushCredit = () => this.#packCredit();
  #calls: Call[] = [];
  /** Of the calls that have not left yet; some of them may have been withdrawn. */
  #bytes = 0;
  readonly #policy = new FlushPolicy();
  readonly #headers = new WrittenHeaders();
  /** Items taken of each stream since it began, where the callee does not know it yet. */
  readonly #taken = new Map<number, number>();
  readonly #link: Link;
  readonly #leaves: (calls: readonly Call[]) => void;

  /** @param leaves called with the calls of each frame when they leave. */
  constructor(inFlight: CallsInFlight, link: Link, leaves: (calls: readonly Call[]) => void) {
    this.#inFlight = inFlight;
    this.#link = link;
    this.#leaves = leaves;
  }

  send(call: Call): void {
    const length = this.#calls.push(call);
    this.#bytes += call.params.bytes;
    if (length === 1) this.#link.schedule(this.#flush);
    if (!this.#policy.isDue(length, this.#bytes)) return;
    this.#pack();
    this.#link.flush();
  }

  /** What has not left yet is dropped. */
  close(): void {
    this.#calls = [];
    this.#taken.clear();
  }

  /** Tells the callee that the caller of a stream has taken `count` items since it began. */
  credit(call: Call, count: number): void {
    if (this.#taken.size === 0) this.#link.scheduleLater(this.#flushCredit);
    this.#taken.set(call.id, count);
  }

  /** Takes back a call that is in no frame yet. False where the callee may have it. */
  withdraw(call: Call): boolean {
    if (call.attempt > 1 || call.resent) return false;
    const index = this.#calls.indexOf(call);
    if (index !== -1) this.#calls.splice(index, 1);
    return index !== -1;
  }

  #packCredit(): void {
    if (this.#taken.size === 0) return;
    this.#link.send(FrameType.credit, objectText([...this.#taken]));
    this.#taken.clear();
  }

  #endTurn(): void {
    if (this.#calls.length === 0) return;
    this.#policy.endTurn();
    this.#pack();
  }

  #pack(): void {
    const calls = this.#calls;
    this.#calls = [];
    this.#bytes = 0;
    this.#policy.left(this.#inFlight.waiting);
    this.#leaves(calls);
    const { settledBelow } = this.#inFlight;
    inBatches(calls, paramsBytes, (batch) => {
      this.#link.sendPacked(FrameType.calls, packCalls(batch, settledBelow, this.#headers));
    });
  }
}

function paramsBytes(call: Call): number {
  return call.params.bytes;
}

/** Of the calls that are usually in flight. */
const PART = 1 / 4;
const LEAST = 8;
const MOST = 256;
/** Fewer calls are enough where they have so many bytes: to write and read these takes longer than to wake the other process. */
const WORTH_BYTES = 512;
/** What is left, after each turn, of the number of calls that were in flight. */
const DECAY = 7 / 8;

/**
 * Which calls leave before their turn of the event loop is over, so that both processes work at the same time: a part of the number
 * that is usually in flight, again and again.
 *
 * Not a part of those in flight now: a caller that gets many answers at once has few calls in flight, and makes as many again. And
 * not a large part: the first frame also wakes the other process for those behind it.
 */
export class FlushPolicy {
  #usual = 0;

  /** Whether so many calls are enough for a frame of their own now. */
  isDue(gathered: number, bytes: number): boolean {
    return (gathered >= LEAST || bytes >= WORTH_BYTES) && gathered >= Math.min(MOST, this.#usual * PART);
  }

  /** Calls leave: `inFlight` calls wait for answers then. */
  left(inFlight: number): void {
    this.#usual = Math.max(this.#usual, inFlight);
  }

  /** The last calls of a turn leave. */
  endTurn(): void {
    this.#usual *= DECAY;
  }
}

/** Frames of calls on their way, in both directions, with which caller and callee work at the same time. */
const ENOUGH_FRAMES = 2.5;
/** With fewer, of the bytes of a frame of calls, so many are enough for the first of its answers to leave. */
const WORTH_PART = 1 / 2;
const LEAST_WORTH_BYTES = 256;
const MOST_WORTH_BYTES = 32 * 1024;

/**
 * How many bytes of answers leave before all calls of a frame of `bytes` have run. Mostly its answers leave together: a write costs as
 * much as ten of them. But where the frame holds much of what the caller waits for, caller and callee would work in turn.
 */
export function worthOf({ calls, settledBelow }: ReceivedCalls, bytes: number): number {
  const waiting = (calls.at(-1)?.id ?? 0) - settledBelow + 1;
  if (calls.length * ENOUGH_FRAMES < waiting) return MOST_WORTH_BYTES;
  return Math.max(LEAST_WORTH_BYTES, bytes * WORTH_PART);
}

/** Bytes of answers that the caller has not read yet. Beyond it no further call runs, so that they can't fill the memory. */
const UNREAD_LIMIT_BYTES = 4 * 1024 * 1024;
/** So many items or progress values share a frame at most: the caller works on them while the next ones are made. */
const MAX_PARTS = 64;

/** The callee's end: answers, items and progress. */
export class ResponseBatcher {
  readonly #link: Link;
  readonly #frameLimit: number;
  readonly #sent: () => void;
  readonly #flush = () => this.#pack();
  /** How many bytes the link has written at the end of each large answer. */
  readonly #ends = new WeakMap<AnswerEntry, number>();
  #madeCodec: Codec | undefined;
  #answers: AnswerEntry[] = [];
  #bytes = 0;
  #unsentAtFrame = 0;

  /** @param sent called when answers have left for the link. */
  constructor(link: Link, frameLimit: number, sent: () => void) {
    this.#link = link;
    this.#frameLimit = frameLimit;
    this.#sent = sent;
  }

  /** Whether the caller reads its answers. Where it does not, `onceRead` calls back when it does again. */
  get isRead(): boolean {
    return !this.#link.isOver(UNREAD_LIMIT_BYTES - this.#bytes);
  }

  /** Bytes of answers that have not left this process. */
  get unreadBytes(): number {
    return this.#link.unsentBytes + this.#bytes;
  }

  /** Whether `limit` bytes of answers wait; asked for each answer, so the transport is asked only where it was so at the last frame. */
  isOver(limit: number): boolean {
    return this.#unsentAtFrame + this.#bytes >= limit && this.unreadBytes >= limit;
  }

  onceRead(fn: () => void): void {
    this.#link.onceDrained(fn);
  }

  encode(value: unknown): EncodedValue | PayloadFault {
    return encodePayload(this.#codec, value, "result", this.#frameLimit);
  }

  /** `answer` will not be sent again. Its memory is reused where all of its bytes have left this process. */
  release(answer: AnswerEntry): void {
    if (answer.value.bytes <= LARGE_BYTES) return;
    const end = this.#ends.get(answer);
    if (end !== undefined && end <= this.#link.sentBytes) this.#codec.release(answer.value);
  }

  /** An answer leaves with the others of this turn. */
  add(answer: AnswerEntry): void {
    if (this.#answers.push(answer) === 1) this.#link.schedule(this.#flush);
    this.#bytes += answer.value.bytes;
  }

  /** An item or progress leaves a little later: more may follow before the event loop turns. */
  addPart(part: AnswerEntry): void {
    const length = this.#answers.push(part);
    if (length === 1) this.#link.scheduleLater(this.#flush);
    this.#bytes += part.value.bytes;
    if (length >= MAX_PARTS) this.flush();
  }

  /** Sends all that was added where it has so many bytes: the caller works on them while the next ones are made. */
  flushFrom(bytes: number): void {
    if (this.#bytes >= bytes) this.#link.flush();
  }

  /** Sends all that was added. */
  flush(): void {
    if (this.#answers.length > 0) this.#link.flush();
  }

  /** Made late: the hello, which decides the codec, comes before the first call. */
  get #codec(): Codec {
    return this.#madeCodec ??= new Codec(this.#link.codec);
  }

  #pack(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.#bytes = 0;
    inBatches(answers, answerBytes, (batch) => {
      this.#link.sendPacked(FrameType.answers, packAnswers(batch));
      for (const answer of batch) if (answer.value.bytes > LARGE_BYTES) this.#ends.set(answer, this.#link.writtenBytes);
    });
    this.#unsentAtFrame = this.#link.unsentBytes;
    this.#sent();
  }
}

function answerBytes(answer: AnswerEntry): number {
  return answer.value.bytes;
}
