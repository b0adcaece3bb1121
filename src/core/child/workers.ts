/**
 * The workers of a module: processes all alike, of which a call goes to the one with the least to do.
 *
 * @module
 */

import type { ProcessStatus } from "../wire/status.ts";
import type { Supervised } from "./supervised.ts";

export class Workers {
  readonly #workers: readonly Supervised[];
  #last = 0;

  constructor(workers: readonly Supervised[]) {
    this.#workers = workers;
  }

  /** Settles when each worker is ready or has failed. `admitted` is called when none waits for its start any more. */
  async start(admitted: () => void): Promise<void> {
    const started = this.#workers.map((worker) => worker.start().then(() => worker.settled()));
    void Promise.all(this.#workers.map((worker) => worker.admitted())).then(admitted);
    await Promise.all(started);
  }

  /** The module ends, and stops them soon. */
  expectEnd(): void {
    for (const worker of this.#workers) worker.expectEnd();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  /** Starts worker number `number` (from 1) again. */
  async restart(number: number): Promise<void> {
    await this.#workers[number - 1]?.restart();
  }

  /** The worker for the next call, or undefined where there is none at all. One that failed is only the last resort. */
  pick(): Supervised | undefined {
    let best: Supervised | undefined;
    const { length } = this.#workers;
    // Equals take turns.
    for (let step = 1; step <= length; step++) {
      const worker = this.#workers[(this.#last + step) % length];
      if (worker !== undefined && (best === undefined || rank(worker) < rank(best))) best = worker;
    }
    if (best !== undefined) this.#last = this.#workers.indexOf(best);
    return best;
  }

  want(events: readonly string[]): void {
    for (const worker of this.#workers) worker.tell({ kind: "wanted", events });
  }

  async status(): Promise<ProcessStatus[]> {
    return await Promise.all(this.#workers.map((worker) => worker.status()));
  }
}

function rank(worker: Supervised): number {
  const { pending } = worker.caller;
  if (worker.state === "ready") return pending;
  return worker.state === "failed" || worker.state === "stopped" ? 2e9 + pending : 1e9 + pending;
}
