/**
 * When something is due of a call: its times, and the one timer that the calls of a client share.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

export interface TimeLimits {
  /** For one attempt. */
  readonly timeoutMs: number;
  /** For the whole call; Infinity where it has no such limit. */
  readonly totalTimeoutMs: number;
}

interface Times {
  readonly startedAt: number;
  readonly attemptEnds: number;
  readonly endsAt: number;
  readonly deadline: number;
  readonly probedAt: number;
}

const NO_LIMITS: TimeLimits = { timeoutMs: Infinity, totalTimeoutMs: Infinity };

export class CallTime implements TimeLimits, Times {
  readonly timeoutMs: number;
  readonly totalTimeoutMs: number;
  /** When the call's time began to run; -1 before. */
  readonly startedAt: number;
  /** When the attempt that runs is over; `deadline` may lie before, for the probe. */
  readonly attemptEnds: number;
  /** When the call is over, whatever progress it makes. */
  readonly endsAt: number;
  /** When something is to be done. */
  readonly deadline: number;
  /** When the callee was last asked for a sign of life, or -1. */
  readonly probedAt: number;

  private constructor({ timeoutMs, totalTimeoutMs }: TimeLimits, times: Times) {
    this.timeoutMs = timeoutMs;
    this.totalTimeoutMs = totalTimeoutMs;
    this.startedAt = times.startedAt;
    this.attemptEnds = times.attemptEnds;
    this.endsAt = times.endsAt;
    this.deadline = times.deadline;
    this.probedAt = times.probedAt;
  }

  /** Of a call whose time does not run yet. */
  static readonly NONE = new CallTime(NO_LIMITS, {
    startedAt: -1,
    attemptEnds: Infinity,
    endsAt: Infinity,
    deadline: Infinity,
    probedAt: -1,
  });

  /** The time runs from `now` on. */
  static begin(now: number, limits: TimeLimits): CallTime {
    const [attemptEnds, endsAt] = [now + limits.timeoutMs, now + limits.totalTimeoutMs];
    const deadline = Math.min(attemptEnds, endsAt);
    return new CallTime(limits, { startedAt: now, attemptEnds, endsAt, deadline, probedAt: -1 });
  }

  /** Whether it runs, and with these limits. */
  isOf({ timeoutMs, totalTimeoutMs }: TimeLimits): boolean {
    return this.startedAt >= 0 && timeoutMs === this.timeoutMs && totalTimeoutMs === this.totalTimeoutMs;
  }

  /** Half of the time without an answer is when the callee is asked for a sign of life: most calls never come to it. */
  probing(): CallTime {
    // Not spread: this is made for each frame of calls.
    const { startedAt, attemptEnds, endsAt } = this;
    const deadline = this.#end - Math.min(this.timeoutMs, this.totalTimeoutMs) / 2;
    return new CallTime(this, { startedAt, attemptEnds, endsAt, deadline, probedAt: -1 });
  }

  /** A new attempt, or a sign of progress: there is time for an answer again. */
  renewed(now: number): CallTime {
    return new CallTime(this, { ...this, attemptEnds: now + this.timeoutMs }).probing();
  }

  /** The callee is asked for a sign of life. */
  probed(now: number): CallTime {
    return new CallTime(this, { ...this, probedAt: now, deadline: this.#end });
  }

  /** No answer is expected until it is renewed: the items that came are not taken yet. */
  resting(): CallTime {
    return new CallTime(this, { ...this, attemptEnds: Infinity, deadline: this.endsAt });
  }

  /** Something is to be done at `deadline`, whatever comes. */
  until(deadline: number): CallTime {
    return new CallTime(this, { ...this, deadline });
  }

  get #end(): number {
    return Math.min(this.attemptEnds, this.endsAt);
  }
}

/** Something that has a deadline until it says otherwise. */
export interface Timed {
  /** On the clock, in milliseconds. */
  readonly deadline: number;
}

/** Deadlines that lie closer together than this are met by one sweep. */
const SWEEP_RESOLUTION_MS = 2;
/** A timer that is later than this fired in a process that stood still. */
const STANDSTILL_MS = 50;

export class Deadlines<T extends Timed> {
  readonly #clock: Clock;
  readonly #live: () => Iterable<T>;
  readonly #due: (timed: T) => void;
  #wakeAt = Infinity;
  #clear: (() => void) | undefined;

  /**
   * @param live what still has a deadline, asked at each sweep.
   * @param due called for each whose deadline has passed; it sets a new deadline or takes it out of `live`.
   */
  constructor(clock: Clock, live: () => Iterable<T>, due: (timed: T) => void) {
    this.#clock = clock;
    this.#live = live;
    this.#due = due;
  }

  /** Tells that `timed` has a new deadline. A timer that did not fire by then was lost, as with fake ones that were taken away. */
  watch(timed: Timed): void {
    if (timed.deadline < this.#wakeAt) this.#wakeFor(timed.deadline);
    else if (this.#clock.now() - this.#wakeAt >= STANDSTILL_MS) this.#wakeFor(this.#wakeAt);
  }

  stop(): void {
    this.#clear?.();
    this.#clear = undefined;
    this.#wakeAt = Infinity;
  }

  #wakeFor(deadline: number): void {
    this.#clear?.();
    this.#wakeAt = deadline;
    this.#clear = this.#clock.timer(Math.max(0, deadline - this.#clock.now()), () => this.#wake());
  }

  /** After a standstill what arrived meanwhile is read first, so that no call is given up whose answer is here. */
  #wake(): void {
    if (this.#clock.now() - this.#wakeAt < STANDSTILL_MS) this.#sweep();
    else this.#clock.soon(() => this.#sweep());
  }

  #sweep(): void {
    this.#clear?.();
    this.#clear = undefined;
    this.#wakeAt = Infinity;
    const now = this.#clock.now();
    const due: T[] = [];
    let next = Infinity;
    for (const timed of this.#live()) {
      if (timed.deadline <= now) due.push(timed);
      else if (timed.deadline < next) next = timed.deadline;
    }
    // What is due for one may settle or put off another.
    for (const timed of due) if (timed.deadline <= now) this.#due(timed);
    if (next < this.#wakeAt) this.#wakeFor(Math.max(next, now + SWEEP_RESOLUTION_MS));
  }
}
