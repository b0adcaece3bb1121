/**
 * Lines a second of one source: what comes beyond them is left out and counted, so that no source fills the log.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

const WINDOW_MS = 1_000;

export class LineLimit {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #dropped: (count: number) => void;
  #windowEnd = -Infinity;
  #lines = 0;
  #left = 0;
  #clearTimer: (() => void) | undefined;

  /** @param limit lines a second. @param dropped called after each second in which lines were left out. */
  constructor(clock: Clock, limit: number, dropped: (count: number) => void) {
    this.#clock = clock;
    this.#limit = limit;
    this.#dropped = dropped;
  }

  /** Whether one more line may be written now. */
  take(): boolean {
    const now = this.#clock.now();
    if (now >= this.#windowEnd) {
      this.end();
      this.#windowEnd = now + WINDOW_MS;
      this.#lines = 0;
    }
    if (this.#lines < this.#limit) {
      this.#lines++;
      return true;
    }
    this.#left++;
    this.#clearTimer ??= this.#clock.timer(this.#windowEnd - now, () => this.end());
    return false;
  }

  /** Tells now what was left out. */
  end(): void {
    this.#clearTimer?.();
    this.#clearTimer = undefined;
    const count = this.#left;
    this.#left = 0;
    if (count > 0) this.#dropped(count);
  }
}
