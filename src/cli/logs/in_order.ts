/**
 * Several logs as one, in the order of time.
 *
 * @module
 */

import type { LogItem } from "../../core/log/parsed.ts";
import type { Log } from "./open_logs.ts";
import { type ReadEvents, readLog } from "./read_log.ts";

/** What is in `logs`, in the order of time; within a second, log by log. */
export async function* inOrder(logs: readonly Log[], events: ReadEvents): AsyncGenerator<readonly LogItem[]> {
  const waiting = logs.toSorted((a, b) => a.time - b.time);
  const open: Cursor[] = [];
  for (;;) {
    const [first, second] = open.toSorted((a, b) => a.time - b.time);
    const [next] = waiting;
    // One that begins later is not opened before its time: there may be more logs than files that can be open.
    if (next !== undefined && (first === undefined || next.time <= first.time)) {
      waiting.shift();
      const cursor = new Cursor(readLog(next, events));
      if (await cursor.fill()) open.push(cursor);
      continue;
    }
    if (first === undefined) return;
    yield first.takeUntil(Math.min(second?.time ?? Infinity, next?.time ?? Infinity));
    if (!await first.fill()) open.splice(open.indexOf(first), 1);
  }
}

/** A log that is being read. */
class Cursor {
  readonly #batches: AsyncIterator<readonly LogItem[]>;
  #batch: readonly LogItem[] = [];
  #at = 0;
  /** Of its next item; a line that is no event's has the time of what is before it. */
  time = -Infinity;

  constructor(batches: AsyncIterator<readonly LogItem[]>) {
    this.#batches = batches;
  }

  /** Reads on where nothing is left. False at the end. */
  async fill(): Promise<boolean> {
    while (this.#at >= this.#batch.length) {
      const next = await this.#batches.next();
      if (next.done) return false;
      this.#batch = next.value;
      this.#at = 0;
    }
    this.#look();
    return true;
  }

  /** The items up to and including `time`, at least one. */
  takeUntil(time: number): LogItem[] {
    const taken: LogItem[] = [];
    for (let item = this.#batch[this.#at]; item !== undefined; item = this.#batch[this.#at]) {
      if (taken.length > 0 && this.time > time) break;
      taken.push(item);
      this.#at++;
      this.#look();
    }
    return taken;
  }

  #look(): void {
    const next = this.#batch[this.#at];
    // Where a clock was set back, the log keeps its own order.
    if (next?.kind === "event" && next.time > this.time) this.time = next.time;
  }
}
