/**
 * What the end of a process means to its callers and to its policy.
 *
 * @module
 */

import type { BrokerFault } from "../faults.ts";
import type { ProcessEnd } from "./process_run_options.ts";

export interface EndMeaning {
  /** For the calls that it can't answer any more. */
  readonly fault: Extract<BrokerFault, { code: "GONE" }>;
  /** For the operator: the cause, where brokkr knows more than the exit. */
  readonly detail: string;
  /** Whether it ended otherwise than by a clean exit after it was ready. */
  readonly failed: boolean;
  /** Whether another start would end the same. */
  readonly lasting: boolean;
}

/** What the runtimes say where a port is served already. */
const PORT_TAKEN = /EADDRINUSE|AddrInUse|address already in use/i;

/** @param goal what the process was to reach first, where it runs its father's program; else null. */
export function meaningOf(end: ProcessEnd, goal: string | null = null): EndMeaning {
  const { code: exitCode, signal, lastLines } = end;
  const exit = signal === null
    ? `process exited with code ${exitCode ?? "unknown"}`
    : `process was killed by ${signal}`;
  const where = end.cleaning === null ? "" : ` in the cleanup of module "${end.cleaning}"`;
  const reason = end.wasReady ? exit : "process did not start";
  const detail = end.why ?? (exitCode === null && signal === null ? reason : exit + where);
  return {
    fault: { code: "GONE", reason, exitCode, signal, lastLines: [...lastLines] },
    detail: goal === null ? detail : detail + byProgram(end, goal),
    failed: exitCode !== 0 || end.why !== null || !end.wasReady,
    lasting: end.lasting === true,
  };
}

/** How the program's own code may be why a process was never ready, and what to do; empty where it is not. */
function byProgram({ code, why, wasReady, wasGreeted = true, lastLines }: ProcessEnd, goal: string): string {
  // What the module's own start throws is told as such.
  if (wasReady || (wasGreeted && why !== null)) return "";
  const remedy = 'put it behind, or set "program" to a file that only starts the broker';
  if (lastLines.some((line) => PORT_TAKEN.test(line))) {
    return `: what stands before ${goal} runs in this process too, and serves a port there that is taken, ${remedy}`;
  }
  if (wasGreeted || why !== null || code === null) return "";
  return ` before it reached ${goal}: what stands before that runs in this process too, ${remedy}`;
}
