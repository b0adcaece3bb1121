/**
 * The deadlines of all calls of one caller on one timer: the timer is set for the earliest, and when it fires one sweep finds
 * what is due. A call that is answered in time costs nothing here.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

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
