/**
 * The steps that end a process: it is asked, then gets SIGTERM, then SIGKILL, each with its own deadline.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { formatTimeout } from "../log/duration.ts";
import { deadline } from "./deadline.ts";
import type { SupervisionPlan } from "../module/settings.ts";

export class Ending {
  readonly #clock: Clock;
  readonly #deadlines: Pick<SupervisionPlan, "drainMs" | "killMs">;
  readonly #kill: (signal: string, why: string) => void;
  #clear: (() => void) | undefined;

  constructor(
    clock: Clock,
    deadlines: Pick<SupervisionPlan, "drainMs" | "killMs">,
    kill: (signal: string, why: string) => void,
  ) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#kill = kill;
  }

  /** The process was asked to end. */
  begin(): void {
    this.#clear?.();
    this.#clear = deadline(this.#clock, this.#deadlines.drainMs, () => this.#terminate());
  }

  /** The process has ended. */
  over(): void {
    this.#clear?.();
  }

  #terminate(): void {
    const { drainMs, killMs } = this.#deadlines;
    this.#clear = deadline(this.#clock, killMs, () => {
      this.#kill("SIGKILL", `process did not end in ${formatTimeout(killMs)} after SIGTERM`);
    });
    this.#kill("SIGTERM", `process did not drain in ${formatTimeout(drainMs)}`);
  }
}
