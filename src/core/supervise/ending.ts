/**
 * The steps that end a process: it is asked, then gets SIGTERM, then SIGKILL, each with its own deadline.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { formatTimeout } from "../log/duration.ts";

export interface EndingDeadlines {
  /** What a process has for finishing its calls and its stop hook. */
  readonly drainMs: number;
  /** What it has after SIGTERM. */
  readonly terminateMs: number;
}

export const MODULE_DEADLINES: EndingDeadlines = { drainMs: 5_000, terminateMs: 2_000 };

/** Together less than their module has, so that one stuck worker does not cost its module an end in good order. */
export const WORKER_DEADLINES: EndingDeadlines = { drainMs: 3_000, terminateMs: 1_000 };

export class Ending {
  readonly #clock: Clock;
  readonly #deadlines: EndingDeadlines;
  readonly #kill: (signal: string, why: string) => void;
  #clear: (() => void) | undefined;

  constructor(clock: Clock, deadlines: EndingDeadlines, kill: (signal: string, why: string) => void) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#kill = kill;
  }

  /** The process was asked to end. */
  begin(): void {
    this.#clear?.();
    this.#clear = this.#clock.timer(this.#deadlines.drainMs, () => this.#terminate());
  }

  /** The process has ended. */
  over(): void {
    this.#clear?.();
  }

  #terminate(): void {
    const { drainMs, terminateMs } = this.#deadlines;
    this.#kill("SIGTERM", `process did not drain in ${formatTimeout(drainMs)}`);
    this.#clear = this.#clock.timer(terminateMs, () => {
      this.#kill("SIGKILL", `process did not end in ${formatTimeout(terminateMs)} after SIGTERM`);
    });
  }
}
