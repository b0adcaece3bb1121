/**
 * Records as an async iterator.
 *
 * @module
 */

import type { LogRecord } from "./record.ts";

/** Records that wait for a slow reader; beyond it the oldest go. */
const MAX_WAITING = 10_000;

export class RecordStream implements AsyncIterableIterator<LogRecord> {
  readonly #unsubscribe: () => void;
  readonly #waiting: LogRecord[] = [];
  #wake: (() => void) | undefined;
  #done = false;
  #missed = 0;

  constructor(subscribe: (listener: (record: LogRecord) => void) => () => void) {
    this.#unsubscribe = subscribe((record) => {
      this.#waiting.push(record);
      if (this.#waiting.length > MAX_WAITING) {
        this.#waiting.shift();
        this.#missed++;
      }
      this.#wake?.();
    });
  }

  /** How many records a slow reader has lost. */
  get missed(): number {
    return this.#missed;
  }

  async next(): Promise<IteratorResult<LogRecord>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#done) return { value: undefined, done: true };
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  return(): Promise<IteratorResult<LogRecord>> {
    this.#done = true;
    this.#waiting.length = 0;
    this.#unsubscribe();
    this.#wake?.();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LogRecord> {
    return this;
  }
}
