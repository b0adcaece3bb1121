/**
 * What a command tells of its progress, on its way to the function of the program that made the call.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

/**
 * Runs the program's function outside of the work on frames, and in the context (of `AsyncLocalStorage`) in which it was made: an
 * async function goes on after each `await` in the context that it was called in.
 */
export class ProgressFeed {
  readonly #listener: (value: unknown) => void;
  readonly #clock: Clock;
  #values: unknown[] = [];
  #wake: () => void = () => {};

  constructor(listener: (value: unknown) => void, clock: Clock) {
    this.#listener = listener;
    this.#clock = clock;
    void this.#run();
  }

  /** Reaches the listener before whoever waits for the call goes on. */
  push(value: unknown): void {
    if (this.#values.push(value) === 1) this.#wake();
  }

  async #run(): Promise<never> {
    for (;;) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      const values = this.#values;
      this.#values = [];
      for (const value of values) this.#give(value);
    }
  }

  #give(value: unknown): void {
    try {
      this.#listener.call(undefined, value);
    } catch (error) {
      this.#clock.throwUncaught(error);
    }
  }
}
