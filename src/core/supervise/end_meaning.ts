/**
 * What the end of a process means to its callers and to its policy.
 *
 * @module
 */

import type { BrokerFault } from "../call/wire_error.ts";
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
    lasting: end.lasting === true,
  };
}
