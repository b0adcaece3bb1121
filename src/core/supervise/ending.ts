/**
 * The steps that end a process: it is asked, then gets SIGTERM, then SIGKILL, each with its own deadline.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { formatTimeout } from "../log/duration.ts";

/** What a process has for finishing its calls and its stop hook. */
const DRAIN_MS = 5_000;
/** What it has after SIGTERM. */
const TERMINATE_MS = 2_000;

export class Ending {
  readonly #clock: Clock;
  readonly #kill: (signal: string, why: string) => void;
  #clear: (() => void) | undefined;

  constructor(clock: Clock, kill: (signal: string, why: string) => void) {
    this.#clock = clock;
    this.#kill = kill;
  }

  /** The process was asked to end. */
  begin(): void {
    this.#clear?.();
    this.#clear = this.#clock.timer(DRAIN_MS, () => this.#terminate());
  }

  /** The process has ended. */
  over(): void {
    this.#clear?.();
  }

  #terminate(): void {
    this.#kill("SIGTERM", `process did not drain in ${formatTimeout(DRAIN_MS)}`);
    this.#clear = this.#clock.timer(TERMINATE_MS, () => {
      this.#kill("SIGKILL", `process did not end in ${formatTimeout(TERMINATE_MS)} after SIGTERM`);
    });
  }
}
