/**
 * The steps that end a process: it is asked, then gets SIGTERM, then SIGKILL, each with its own deadline. One that handles nothing
 * sees no SIGTERM.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { formatTimeout } from "../duration.ts";
import { deadline } from "./deadline.ts";
import type { SupervisionPlan } from "../module/settings.ts";

export class Ending {
  readonly #clock: Clock;
  readonly #deadlines: Pick<SupervisionPlan, "drainMs" | "killMs">;
  readonly #kill: (signal: string, why: string) => void;
  readonly #isBlocked: () => boolean;
  #clear: (() => void) | undefined;

  /** @param isBlocked whether the process has given no sign of life since it was asked. */
  constructor(
    clock: Clock,
    deadlines: Pick<SupervisionPlan, "drainMs" | "killMs">,
    { kill, isBlocked = () => false }: { kill(signal: string, why: string): void; isBlocked?(): boolean },
  ) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#kill = kill;
    this.#isBlocked = isBlocked;
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
    const why = `process did not drain in ${formatTimeout(drainMs)}`;
    if (this.#isBlocked()) return this.#kill("SIGKILL", why);
    this.#clear = deadline(this.#clock, killMs, () => {
      this.#kill("SIGKILL", `process did not end in ${formatTimeout(killMs)} after SIGTERM`);
    });
    this.#kill("SIGTERM", why);
  }
}
