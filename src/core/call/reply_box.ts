/**
 * Answers on their way into frames: those of one turn of the event loop share a frame. The other side of `outbox.ts`.
 *
 * @module
 */

import type { AnswerEntry } from "../wire/batch.ts";
import { inBatches } from "../wire/batches.ts";
import { type Codec, type EncodedValue, newCodec } from "../wire/codec.ts";
import { FrameType } from "../wire/header.ts";
import type { Link } from "../wire/link.ts";
import { encodePayload, type PayloadFault } from "../wire/params.ts";
import { LARGE_BYTES } from "../wire/spare_memory.ts";

/** Answers that the caller has not read yet. Beyond it no further call runs, so that they can't fill the memory. */
const UNREAD_LIMIT_BYTES = 4 * 1024 * 1024;
/** As many parts of answers share a frame at most, so that the caller works on them while the next ones are made. */
const MAX_PARTS = 64;

export class ReplyBox {
  readonly #link: Link;
  readonly #frameLimit: number;
  readonly #sent: () => void;
  readonly #flush = () => this.#pack();
  readonly #stream = { told: 0 };
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
