/**
 * The times of a call, on the clock in milliseconds. They never change: calls that begin together with the same limits share theirs,
 * since numbers of its own would cost each call more than the frame it travels in.
 *
 * @module
 */

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
