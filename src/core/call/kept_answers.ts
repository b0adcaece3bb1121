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

/** What an arriving call is. */
export type Arrival =
  | { readonly kind: "new" }
  | { readonly kind: "running"; readonly call: RunningCall }
  | { readonly kind: "answered"; readonly answer: AnswerEntry }
  | { readonly kind: "forgotten" };

export class KeptAnswers {
  readonly #running = new Map<number, RunningCall>();
  readonly #answers = new Map<number, AnswerEntry>();
  /** Ids that were skipped: their frame was refused, so a second attempt is the first that can be read. */
  readonly #lost = new Set<number>();
  #bytes = 0;
  #highest = 0;

  get running(): Iterable<RunningCall> {
    return this.#running.values();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Says what a call is, and takes note of its id. */
  arrive(id: number): Arrival {
    const call = this.#running.get(id);
    if (call !== undefined) return { kind: "running", call };
    const answer = this.#answers.get(id);
    if (answer !== undefined) return { kind: "answered", answer };
    if (id > this.#highest) {
      for (let lost = Math.max(this.#highest + 1, id - MAX_ANSWERS); lost < id; lost++) this.#lost.add(lost);
      this.#highest = id;
      return { kind: "new" };
    }
    return this.#lost.delete(id) ? { kind: "new" } : { kind: "forgotten" };
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
