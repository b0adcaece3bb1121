import { BrokerError, type Callee, cannotCall } from "./broker_error.ts";

/**
 * The callee's process ended before it answered, or never came up.
 *
 * @example What to show of a process that crashed
 * ```ts
 * import { ProcessGoneError } from "brokkr";
 *
 * export function obituary(error: ProcessGoneError): string {
 *   return [error.signal ?? `exit code ${error.exitCode}`, ...error.lastLines].join("\n");
 * }
 * ```
 */
export class ProcessGoneError extends BrokerError {
  /** Name of the class. */
  override readonly name = "ProcessGoneError";
  /** Stable, for programs. */
  override readonly code = "GONE";
  /** Null where a signal ended the process, or where there was none. */
  readonly exitCode: number | null;
  /** Such as `SIGKILL`; null where no signal ended the process. */
  readonly signal: string | null;
  /** The last lines that the process wrote to its standard error. */
  readonly lastLines: readonly string[];

  /** Made by brokkr. */
  constructor(
    callee: Callee,
    facts: { reason: string; exitCode: number | null; signal: string | null; lastLines: readonly string[] },
  ) {
    const output = facts.lastLines.length === 0 ? "" : `; its last lines: ${facts.lastLines.join(" | ")}`;
    super(`${cannotCall(callee)}: ${facts.reason}${output}`, facts.reason);
    this.exitCode = facts.exitCode;
    this.signal = facts.signal;
    this.lastLines = facts.lastLines;
  }
}
