/**
 * How a process is ended: by its parent, step by step, or by a signal that someone else sends to the broker and all of its processes
 * at once, as a supervisor that ends a whole tree does, or a control group.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { deadline, formatTimeout } from "../duration.ts";
import type { SupervisionPlan } from "../module/settings.ts";
import type { EndSignal } from "../wire/messages.ts";
import type { ProcessEnd } from "./child_spec.ts";

/**
 * The steps that end a process: a stop message, then SIGTERM, then SIGKILL, each with a deadline. One that handles nothing skips
 * SIGTERM, which it would not see.
 */
export class GracefulShutdown {
  readonly #clock: Clock;
  readonly #deadlines: Pick<SupervisionPlan, "drainMs" | "killMs">;
  readonly #kill: (signal: string, why: string) => void;
  readonly #isBlocked: () => boolean;
  #clear: (() => void) | undefined;

  /** @param isBlocked whether the process has sent nothing since it was asked to end. */
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

/** The longest time from the signal of one process to that of its broker, where one sender signals both. */
export const TREE_SIGNAL_MS = 250;

export const END_SIGNALS: readonly EndSignal[] = ["SIGINT", "SIGTERM"];

/** Exit codes that mean an end by a signal. */
export const EXIT_CODES: Readonly<Record<EndSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

const SIGNALS: readonly (string | null)[] = [...END_SIGNALS, "SIGHUP"];
const CODES: readonly (number | null)[] = [...Object.values(EXIT_CODES), 129];

/** Whether a process ended by a signal that was not sent by brokkr. */
export function isByTermination({ code, signal, why }: ProcessEnd): boolean {
  return why === null && (SIGNALS.includes(signal) || CODES.includes(code));
}
