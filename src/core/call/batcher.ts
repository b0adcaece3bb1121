/**
 * Calls and answers on their way into frames: those of one turn of the event loop share a frame, and a part of the calls leaves early,
 * so that both processes work at the same time.
 *
 * @module
 */

import { LARGE_BYTES } from "../wire/buffer_pool.ts";
import { type Codec, type EncodedValue, encodePayload, newCodec, type PayloadFault } from "../wire/codec.ts";
import { type AnswerEntry, inBatches } from "../wire/columns.ts";
import { FrameType } from "../wire/frame.ts";
import type { Link } from "../wire/link.ts";
import { objectText } from "../wire/serializable.ts";
import type { Call } from "./call.ts";
import type { InFlight } from "./pending.ts";

export interface RequestBatcherOptions {
  /** What the calls are encoded with. */
  readonly codec: Codec;
  /** Called with the calls of each frame when they leave. */
  readonly leaves: (calls: readonly Call[]) => void;
}

export class RequestBatcher {
  readonly #inFlight: InFlight;
  readonly #flush = () => this.#endTurn();
  readonly #flushCredit = () => this.#packCredit();
  #calls: Call[] = [];
  readonly #policy = new FlushPolicy();
  /** Items that were taken of each stream, where the callee does not know it yet. */
  readonly #taken = new Map<number, number>();
  readonly #link: Link;
  readonly #codec: Codec;
  readonly #leaves: (calls: readonly Call[]) => void;
  readonly #stream = { sentCount: 0 };

  constructor(inFlight: InFlight, link: Link, options: RequestBatcherOptions) {
    this.#inFlight = inFlight;
    this.#link = link;
    this.#codec = options.codec;
    this.#leaves = options.leaves;
  }

  send(call: Call): void {
    const length = this.#calls.push(call);
    if (length === 1) this.#link.schedule(this.#flush);
    if (!this.#policy.isDue(length)) return;
    this.#pack();
    this.#link.flush();
  }

  /** What did not leave yet never will. */
  close(): void {
    this.#calls = [];
    this.#taken.clear();
  }

  /** Tells the callee that `count` items of a stream were taken since it began. */
  credit(call: Call, count: number): void {
    if (this.#taken.size === 0) this.#link.scheduleLater(this.#flushCredit);
    this.#taken.set(call.id, count);
  }

  /** Takes back a call whose only frame is not packed yet. False where the callee may have got it. */
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
    const [link, codec] = [this.#link, this.#codec];
    this.#calls = [];
    this.#policy.left(this.#inFlight.waiting);
    this.#leaves(calls);
    const { settledBelow } = this.#inFlight;
    inBatches(calls, paramsBytes, (batch) => {
      const before = codec.before(this.#stream);
      if (before !== undefined) link.sendParts(FrameType.calls, before);
      link.sendParts(FrameType.calls, codec.calls(batch, settledBelow));
    });
  }
}

function paramsBytes(call: Call): number {
  return call.params.bytes;
}

const PART = 1 / 4;
const LEAST = 8;
const MOST = 256;
/** How slowly it is forgotten, from turn to turn, that many calls were out. */
const FORGETTING = 7 / 8;

export class FlushPolicy {
  #mostlyOut = 0;

  /** Whether the calls that were gathered are enough to leave now. */
  isDue(gathered: number): boolean {
    return gathered >= LEAST && gathered >= Math.min(MOST, this.#mostlyOut * PART);
  }

  /** @param out the calls that wait for answers when some of them have left. */
  left(out: number): void {
    this.#mostlyOut = Math.max(this.#mostlyOut, out);
  }

  /** The last calls of a turn leave. */
  endTurn(): void {
    this.#mostlyOut *= FORGETTING;
  }
}

/** Answers that the caller has not read yet. Beyond it no further call runs, so that they can't fill the memory. */
const UNREAD_LIMIT_BYTES = 4 * 1024 * 1024;
/** As many parts of answers share a frame at most, so that the caller works on them while the next ones are made. */
const MAX_PARTS = 64;

export class ResponseBatcher {
  readonly #link: Link;
  readonly #frameLimit: number;
  readonly #sent: () => void;
  readonly #flush = () => this.#pack();
  readonly #stream = { sentCount: 0 };
  /** Where on the link each large answer ends. */
  readonly #ends = new WeakMap<AnswerEntry, number>();
  #codec: Codec | undefined;
  #answers: AnswerEntry[] = [];
  #bytes = 0;

  /** @param sent called when answers have left for the link. */
  constructor(link: Link, frameLimit: number, sent: () => void) {
    this.#link = link;
    this.#frameLimit = frameLimit;
    this.#sent = sent;
  }

  /** Whether the caller reads what it is sent. Where not, `onceRead` tells when it does again. */
  get isRead(): boolean {
    return !this.#link.isOver(UNREAD_LIMIT_BYTES - this.#bytes);
  }

  onceRead(fn: () => void): void {
    this.#link.onceDrained(fn);
  }

  encode(value: unknown): EncodedValue | PayloadFault {
    return encodePayload(this.#speech(), value, "result", this.#frameLimit);
  }

  /** Nobody will ask for `answer` again. Its memory is used for another where no byte of it waits in this process. */
  release(answer: AnswerEntry): void {
    if (answer.value.bytes <= LARGE_BYTES) return;
    const end = this.#ends.get(answer);
    if (end !== undefined && end <= this.#link.sentBytes) this.#codec?.release(answer.value);
  }

  /** An answer leaves with the others of this turn. */
  add(answer: AnswerEntry): void {
    if (this.#answers.push(answer) === 1) this.#link.schedule(this.#flush);
    this.#bytes += answer.value.bytes;
  }

  /** A part of an answer leaves a little later: where one comes, more may follow before the event loop turns. */
  addPart(part: AnswerEntry): void {
    const length = this.#answers.push(part);
    if (length === 1) this.#link.scheduleLater(this.#flush);
    this.#bytes += part.value.bytes;
    if (length >= MAX_PARTS) this.flush();
  }

  /** Sends at once what was gathered. */
  flush(): void {
    if (this.#answers.length > 0) this.#link.flush();
  }

  /** What answers are encoded with: the hello, which says it, comes before the first call. */
  #speech(): Codec {
    return this.#codec ??= newCodec(this.#link.codec);
  }

  #pack(): void {
    const answers = this.#answers;
    const codec = this.#speech();
    this.#answers = [];
    this.#bytes = 0;
    inBatches(answers, answerBytes, (batch) => {
      const before = codec.before(this.#stream);
      if (before !== undefined) this.#link.sendParts(FrameType.answers, before);
      this.#link.sendParts(FrameType.answers, codec.answers(batch));
      for (const answer of batch) if (answer.value.bytes > LARGE_BYTES) this.#ends.set(answer, this.#link.writtenBytes);
    });
    this.#sent();
  }
}

function answerBytes(answer: AnswerEntry): number {
  return answer.value.bytes;
}
