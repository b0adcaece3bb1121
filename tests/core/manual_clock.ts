import type { Clock } from "../../src/runtime/runtime.ts";

/** Never 0, or a duration could not be told from a moment. */
export const START_MS = 7_000_000;

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #now = START_MS;
  /** What the wall clock is ahead. A test that changes it makes it jump. */
  wallOffset = 0;
  #timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now - START_MS + this.wallOffset;
  }

  timer(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(fn: () => void): void {
    this.timer(0, fn);
  }

  throwUncaught(error: unknown): void {
    this.soon(() => {
      throw error;
    });
  }

  /** Time passes and no timer fires, as when the process is stopped. */
  standStill(ms: number): void {
    this.#now += ms;
  }

  /** Every timer that is set is gone and never fires, as fake ones are when a test takes them away. */
  loseTimers(): void {
    this.#timers = [];
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Like `advance`; what the timers throw, which a real clock would make uncaught errors of the process, is returned. */
  async uncaught(ms = 0): Promise<unknown[]> {
    const errors: unknown[] = [];
    const end = this.#now + ms;
    for (;;) {
      try {
        await this.advance(end - this.#now);
        return errors;
      } catch (error) {
        errors.push(error);
      }
    }
  }

  /** Moves time on, timer by timer, and lets what they start come to rest. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      await settle();
    }
    this.#now = end;
  }
}

/** Waits until promises that are ready have run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve();
}
