/**
 * Answers that belong to no waiting call: late (their call was given up), duplicate (their call was answered) or unknown (no call
 * ever had that id).
 *
 * @module
 */

import type { StrayAnswer } from "./counters.ts";

/** Calls given up whose answers are remembered; beyond it the oldest count as duplicates. */
const MAX_EXPECTED = 65_536;

export class Strays {
  readonly #expected = new Map<number, string>();

  /** Calls that were given up and not answered: they may still run. */
  get unanswered(): number {
    return this.#expected.size;
  }

  /** The call `id` was given up, and an answer may still come. */
  expect(id: number, command: string): void {
    this.#expected.set(id, command);
    if (this.#expected.size <= MAX_EXPECTED) return;
    for (const oldest of this.#expected.keys()) {
      this.#expected.delete(oldest);
      break;
    }
  }

  /** @param nextId the smallest id that was never given to a call. */
  classify(id: unknown, nextId: number): { kind: StrayAnswer; command: string | null } {
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1 || id >= nextId) {
      return { kind: "unknown", command: null };
    }
    const command = this.#expected.get(id);
    if (command === undefined) return { kind: "duplicate", command: null };
    this.#expected.delete(id);
    return { kind: "late", command };
  }

  /** The process that could have answered is gone. */
  forgetAll(): void {
    this.#expected.clear();
  }
}
