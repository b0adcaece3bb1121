/**
 * The states of a process and which may follow which.
 *
 * @module
 */

import type { ProcessState } from "../wire/status.ts";

/**
 * All states of a child, as a table.
 *
 * - `draining` is left by the end of the process only: for `backoff` and `failed` where a signal of someone else made it drain.
 * - A program of another language becomes ready without `cleaning`.
 * - `failed` and `stopped` are left by a start by hand; `failed` also follows on `stopped` where a start is given up before it began.
 */
export const MAY_FOLLOW: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  stopped: ["starting", "failed"],
  starting: ["cleaning", "ready", "draining", "backoff", "failed", "stopped"],
  cleaning: ["ready", "draining", "backoff", "failed", "stopped"],
  ready: ["draining", "backoff", "failed", "stopped"],
  draining: ["stopped", "backoff", "failed"],
  backoff: ["starting", "stopped"],
  failed: ["starting", "stopped"],
};

/** States that last until someone does something. */
const SETTLED: readonly ProcessState[] = ["ready", "failed", "stopped"];

/** The state of one process; it goes only where the table lets it. */
export class StateMachine {
  readonly #process: string;
  #state: ProcessState = "stopped";
  #waiting = new Set<() => void>();

  constructor(process: string) {
    this.#process = process;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Whether it stays in its state until someone does something. */
  get isSettled(): boolean {
    return SETTLED.includes(this.#state);
  }

  /** @throws {Error} when the table does not allow it: a defect of brokkr. */
  become(state: ProcessState): void {
    if (!MAY_FOLLOW[this.#state].includes(state)) {
      throw new Error(`Cannot make process "${this.#process}" ${state}: it is ${this.#state}`);
    }
    this.#state = state;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Settles when the process is ready, failed or stopped; at once where it is. */
  async settled(): Promise<void> {
    while (!this.isSettled) await this.#change();
  }

  /** Settles when the process is ready, or this start of it has ended, though another may follow; at once where that is so. */
  async tried(): Promise<void> {
    while (this.#state !== "backoff" && !this.isSettled) await this.#change();
  }

  /** Settles when the process is `state`. */
  async is(state: ProcessState): Promise<void> {
    while (this.#state !== state) await this.#change();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}
