/**
 * Whether a process that ended is started again.
 *
 * @module
 */

import type { BrokerFault } from "../call/wire_error.ts";
import type { RestartPolicy } from "../module.ts";
import type { ProcessEnd } from "./process_run.ts";

/** Restarts within the window before the process is left alone. */
const MAX_RESTARTS = 3;
const WINDOW_MS = 60_000;

export type RestartDecision =
  | { readonly kind: "restart"; readonly delayMs: number }
  | { readonly kind: "stay"; readonly why: "policy" | "intensity" };

export class Restarts {
  readonly #policy: RestartPolicy;
  readonly #times: number[] = [];
  #total = 0;

  constructor(policy: RestartPolicy) {
    this.#policy = policy;
  }

  /** How often the process was started again. */
  get total(): number {
    return this.#total;
  }

  /** @param failed whether the process ended otherwise than by a clean exit. */
  decide(failed: boolean, now: number): RestartDecision {
    if (this.#policy === "never" || (this.#policy === "on-failure" && !failed)) return { kind: "stay", why: "policy" };
    while (this.#times[0] !== undefined && now - this.#times[0] > WINDOW_MS) this.#times.shift();
    if (this.#times.length >= MAX_RESTARTS) return { kind: "stay", why: "intensity" };
    this.#times.push(now);
    this.#total++;
    return { kind: "restart", delayMs: 0 };
  }

  /** A restart by hand: counted, and the window begins anew. */
  byHand(): void {
    this.#times.length = 0;
    this.#total++;
  }
}

/** What the end of a process means to its callers and to its policy. */
export interface EndMeaning {
  /** For the calls that it can't answer any more. */
  readonly fault: Extract<BrokerFault, { code: "GONE" }>;
  /** For the operator: the cause, where brokkr knows more than the exit. */
  readonly detail: string;
  /** Whether it ended otherwise than by a clean exit after it was ready. */
  readonly failed: boolean;
}

export function meaningOf(end: ProcessEnd): EndMeaning {
  const { code: exitCode, signal, lastLines } = end;
  const exit = signal === null
    ? `process exited with code ${exitCode ?? "unknown"}`
    : `process was killed by ${signal}`;
  const where = end.cleaning === null ? "" : ` in the cleanup of module "${end.cleaning}"`;
  const reason = end.wasReady ? exit : "process did not start";
  return {
    fault: { code: "GONE", reason, exitCode, signal, lastLines: [...lastLines] },
    detail: end.why ?? (exitCode === null && signal === null ? reason : exit + where),
    failed: exitCode !== 0 || end.why !== null || !end.wasReady,
  };
}
