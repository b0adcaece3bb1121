/**
 * When something is due for a call: its times, and the one timer that all calls of a client share.
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

/**
 * The times of a call, on the clock in milliseconds. They never change: calls that begin together with the same limits share theirs,
 * since numbers of its own would cost each call more than the frame in which it is sent.
 */
export class CallTime implements TimeLimits, Times {
  readonly timeoutMs: number;
  readonly totalTimeoutMs: number;
  /** When the call's time began to run; -1 before. */
  readonly startedAt: number;
  /** When the current attempt is over; `deadline` may be earlier, for the ping. */
  readonly attemptEnds: number;
  /** When the call is over, whatever progress it makes. */
  readonly endsAt: number;
  /** When something is due. */
  readonly deadline: number;
  /** When the callee was last sent a ping, or -1. */
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

  /** Of a call whose time has not begun. */
  static readonly NONE = new CallTime(NO_LIMITS, {
    startedAt: -1,
    attemptEnds: Infinity,
    endsAt: Infinity,
    deadline: Infinity,
    probedAt: -1,
  });

  /** The time begins at `now`. */
  static begin(now: number, limits: TimeLimits): CallTime {
    const [attemptEnds, endsAt] = [now + limits.timeoutMs, now + limits.totalTimeoutMs];
    const deadline = Math.min(attemptEnds, endsAt);
    return new CallTime(limits, { startedAt: now, attemptEnds, endsAt, deadline, probedAt: -1 });
  }

  /** Whether it has begun, with these limits. */
  isOf({ timeoutMs, totalTimeoutMs }: TimeLimits): boolean {
    return this.startedAt >= 0 && timeoutMs === this.timeoutMs && totalTimeoutMs === this.totalTimeoutMs;
  }

  /** The callee is sent a ping after half of the time: most calls are answered before. */
  probing(): CallTime {
    // Not spread, since each frame of calls makes one.
    const { startedAt, attemptEnds, endsAt } = this;
    const deadline = this.#end - Math.min(this.timeoutMs, this.totalTimeoutMs) / 2;
    return new CallTime(this, { startedAt, attemptEnds, endsAt, deadline, probedAt: -1 });
  }

  /** A new attempt, or progress: the callee has the whole time for its answer again. */
  renewed(now: number): CallTime {
    return new CallTime(this, { ...this, attemptEnds: now + this.timeoutMs }).probing();
  }

  /** The callee was sent a ping. */
  probed(now: number): CallTime {
    return new CallTime(this, { ...this, probedAt: now, deadline: this.#end });
  }

  /** Until it is renewed no answer is expected: the caller has items that it has not taken yet. */
  resting(): CallTime {
    return new CallTime(this, { ...this, attemptEnds: Infinity, deadline: this.endsAt });
  }

  /** Something is due at `deadline`, whatever comes. */
  until(deadline: number): CallTime {
    return new CallTime(this, { ...this, deadline });
  }

  get #end(): number {
    return Math.min(this.attemptEnds, this.endsAt);
  }
}

/** Something with a deadline, which may change. */
export interface Timed {
  /** On the clock, in milliseconds. */
  readonly deadline: number;
}

/** Deadlines that are closer together than this share a sweep. */
const SWEEP_RESOLUTION_MS = 2;
/** Where a timer is later than this, the process stood still. */
const STANDSTILL_MS = 50;

/**
 * The deadlines of all calls on one timer: it is set for the earliest, and when it fires, one sweep finds what is due. A call that is
 * answered in time costs nothing here.
 */
export class Deadlines<T extends Timed> {
  readonly #clock: Clock;
  readonly #live: () => Iterable<T>;
  readonly #due: (timed: T) => void;
  #wakeAt = Infinity;
  #clear: (() => void) | undefined;

  /**
   * @param live all that have a deadline; called at each sweep.
   * @param due called for each whose deadline has passed; it sets a new deadline or removes it from `live`.
   */
  constructor(clock: Clock, live: () => Iterable<T>, due: (timed: T) => void) {
    this.#clock = clock;
    this.#live = live;
    this.#due = due;
  }

  /** `timed` has a new deadline. A timer that is overdue was lost, as fake timers are that a test removes; it is set again. */
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

  /** After a standstill the frames that arrived meanwhile are read first, so that no call times out whose answer is here. */
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
    // Handling one may settle another, or give it a new deadline.
    for (const timed of due) if (timed.deadline <= now) this.#due(timed);
    if (next < this.#wakeAt) this.#wakeFor(Math.max(next, now + SWEEP_RESOLUTION_MS));
  }
}
