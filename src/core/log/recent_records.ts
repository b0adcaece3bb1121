/**
 * What a broker logged last, for those who come to look after it happened.
 *
 * @module
 */

import type { LogRecord } from "./record.ts";

const KEPT = 500;

export class RecentRecords {
  readonly #records: LogRecord[] = [];
  #next = 0;

  add(record: LogRecord): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Oldest first. */
  all(): LogRecord[] {
    return [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)];
  }
}
