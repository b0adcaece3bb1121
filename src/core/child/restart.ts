/**
 * The life of a child, from one process to the next: its states, and whether and when a process that ended is started again. That is
 * the first time at once, then after pauses that grow, until there were too many restarts within a window of time.
 */

import type { RestartSettings } from "../settings/settings.ts";
import type { ProcessState } from "../wire/status.ts";

/**
 * All states of a child, as a table.
 *
 * - `draining` is left by the end of the process only: for `backoff` and `failed` where a signal of someone else made it drain.
 * - A program in another language becomes ready without `cleaning`.
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
  #waiting = new Set<(state: ProcessState) => void>();

  readonly #changed: () => void;

  /** @param changed called with each new state. @default nothing is */
  constructor(process: string, changed: () => void = () => {}) {
    this.#process = process;
    this.#changed = changed;
  }

  get state(): ProcessState {
    return this.#state;
  }

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
    for (const wake of waiting) wake(state);
    this.#changed();
  }

  /** Settles when the process is ready, failed or stopped; at once where it is. */
  settled(): Promise<void> {
    return this.#until((state) => SETTLED.includes(state));
  }

  /** Settles when the process is ready, or this start of it has ended, though another may follow; at once where that is so. */
  tried(): Promise<void> {
    return this.#until((state) => state === "backoff" || SETTLED.includes(state));
  }

  is(state: ProcessState): Promise<void> {
    return this.#until((now) => now === state);
  }

  /** Sees each state, also one that the next has followed by the time when this goes on. */
  async #until(holds: (state: ProcessState) => boolean): Promise<void> {
    let seen = this.#state;
    while (!holds(seen) && !holds(this.#state)) {
      seen = await new Promise<ProcessState>((resolve) => this.#waiting.add(resolve));
    }
  }
}

export type RestartDecision =
  | { readonly kind: "restart"; readonly delayMs: number }
  | { readonly kind: "stay"; readonly why: "policy" | "lasting" | "intensity" };

export interface EndFacts {
  readonly failed: boolean;
  readonly lasting: boolean;
  readonly uptimeMs: number;
  readonly now: number;
}

export class Restarts {
  #settings: Required<RestartSettings>;
  readonly #random: () => number;
  /** When processes were started again, within the window. */
  readonly #times: number[] = [];
  /** Restarts since a process last proved itself. */
  #inARow = 0;
  #total = 0;

  /** @param random a number from 0 to 1. */
  constructor(settings: Required<RestartSettings>, random: () => number) {
    this.#settings = settings;
    this.#random = random;
  }

  get total(): number {
    return this.#total;
  }

  decide({ failed, lasting, uptimeMs, now }: EndFacts): RestartDecision {
    const { policy, minUptimeMs, maxRestarts, windowMs } = this.#settings;
    if (lasting) return { kind: "stay", why: "lasting" };
    if (policy === "never" || (policy === "on-failure" && !failed)) return { kind: "stay", why: "policy" };
    while (this.#times[0] !== undefined && now - this.#times[0] > windowMs) this.#times.shift();
    if (this.#times.length >= maxRestarts) return { kind: "stay", why: "intensity" };
    // Being ready proves nothing: a process may become ready and die, over and over.
    if (uptimeMs >= minUptimeMs) this.#inARow = 0;
    this.#times.push(now);
    this.#total++;
    return { kind: "restart", delayMs: this.#delayMs(this.#inARow++) };
  }

  /** A restart by hand: counted, and everything begins anew. */
  byHand(): void {
    this.#times.length = 0;
    this.#inARow = 0;
    this.#total++;
  }

  follow(settings: Required<RestartSettings>): void {
    this.#settings = settings;
  }

  #delayMs(before: number): number {
    if (before === 0) return 0;
    const { delayMs, factor, maxDelayMs, jitter } = this.#settings;
    // The power may be beyond every number, of which nothing would be none.
    const pause = Math.min(delayMs * Math.min(factor ** (before - 1), Number.MAX_VALUE), maxDelayMs);
    return Math.round(Math.min(pause * (1 + jitter * (2 * this.#random() - 1)), maxDelayMs));
  }
}
