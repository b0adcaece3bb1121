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
import type { RunningCall } from "./running_call.ts";

const MAX_ANSWERS = 8_192;
const MAX_BYTES = 16 * 1024 * 1024;

export class KeptAnswers {
  readonly #running = new Map<number, RunningCall>();
  readonly #answers = new Map<number, AnswerEntry>();
  /** Ids that were skipped: their frame was refused or withdrawn, so a second attempt is the first that can be read. */
  readonly #lost = new Set<number>();
  #bytes = 0;
  #highest = 0;

  get running(): Iterable<RunningCall> {
    return this.#running.values();
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
    this.#running.set(call.id, call);
  }

  find(id: number): RunningCall | undefined {
    return this.#running.get(id);
  }

  answered(call: RunningCall, answer: AnswerEntry): void {
    this.#running.delete(call.id);
    this.#answers.set(call.id, answer);
    this.#bytes += answer.value.bytes;
    while (this.#answers.size > MAX_ANSWERS || this.#bytes > MAX_BYTES) this.#forgetOldest();
  }

  /** The caller will not ask again for any id below `id`. */
  settledBelow(id: number): void {
    for (const [known, answer] of this.#answers) {
      // Answers are kept in the order they were given, so a later one may be older: it goes at its turn.
      if (known >= id) break;
      this.#answers.delete(known);
      this.#bytes -= answer.value.bytes;
    }
    for (const lost of this.#lost) if (lost < id) this.#lost.delete(lost);
  }

  #forgetOldest(): void {
    for (const [id, answer] of this.#answers) {
      this.#answers.delete(id);
      this.#bytes -= answer.value.bytes;
      return;
    }
  }
}
