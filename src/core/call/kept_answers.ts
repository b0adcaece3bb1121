/**
 * What a callee remembers of the calls it got, so that a second attempt joins the first or gets its answer again, and a command
 * never runs twice. Bounded by what the caller has settled, by count and by bytes.
 *
 * An answer that had to be forgotten is not lost: it left on the same ordered channel on which the second attempt came, so the
 * caller has it or will have it.
 *
 * @module
 */

import type { AnswerEntry } from "../frame/batch.ts";
import { ById } from "./by_id.ts";
import type { RunningCall } from "./running_call.ts";

const MAX_ANSWERS = 8_192;
const MAX_BYTES = 16 * 1024 * 1024;

export class KeptAnswers {
  readonly #running = new ById<RunningCall>();
  /** In the order they were given. */
  readonly #answers = new Map<number, AnswerEntry>();
  /** Goes on where it was: to begin anew at the front would step over all that were forgotten before. */
  #front = this.#answers.keys();
  #oldestId = 0;
  /** Ids that were skipped: their frame was refused or withdrawn, so a second attempt is the first that can be read. */
  readonly #lost = new Set<number>();
  #bytes = 0;
  #highest = 0;

  get running(): readonly RunningCall[] {
    return this.#running.sorted();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Whether the call `id` comes for the first time; takes note of it. */
  isNew(id: number): boolean {
    if (id <= this.#highest) return this.#lost.delete(id);
    for (let lost = Math.max(this.#highest + 1, id - MAX_ANSWERS); lost < id; lost++) this.#lost.add(lost);
    this.#highest = id;
    return true;
  }

  /** The answer to give again, where `attempt` came after the answer to an earlier attempt had left. */
  again(id: number, attempt: number): AnswerEntry | undefined {
    const answer = this.#answers.get(id);
    if (answer === undefined || attempt <= answer.attempt) return undefined;
    const again = { ...answer, attempt };
    this.#answers.set(id, again);
    return again;
  }

  started(call: RunningCall): void {
    this.#running.add(call);
  }

  find(id: number): RunningCall | undefined {
    return this.#running.get(id);
  }

  answered(call: RunningCall, answer: AnswerEntry): void {
    this.#running.delete(call.id);
    this.#answers.set(call.id, answer);
    this.#bytes += answer.value.bytes;
    while (this.#answers.size > MAX_ANSWERS || this.#bytes > MAX_BYTES) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      this.#forget(oldest);
    }
  }

  /** The caller will not ask again for any id below `id`. */
  settledBelow(id: number): void {
    // Answers are kept in the order they were given, so a later one may be older: it goes at its turn.
    for (let oldest = this.#oldest(); oldest !== undefined && oldest.id < id; oldest = this.#oldest()) {
      this.#forget(oldest);
    }
    if (this.#lost.size === 0) return;
    for (const lost of this.#lost) if (lost < id) this.#lost.delete(lost);
  }

  #oldest(): AnswerEntry | undefined {
    for (;;) {
      const oldest = this.#answers.get(this.#oldestId);
      if (oldest !== undefined || this.#answers.size === 0) return oldest;
      const next = this.#front.next();
      if (next.done === true) this.#front = this.#answers.keys();
      else this.#oldestId = next.value;
    }
  }

  #forget(answer: AnswerEntry): void {
    this.#answers.delete(answer.id);
    this.#bytes -= answer.value.bytes;
  }
}
