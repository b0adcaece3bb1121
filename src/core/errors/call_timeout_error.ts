import { formatTimeout } from "../log/duration.ts";
import { BrokerError, type Callee, cannotCall, nameOf } from "./broker_error.ts";

/**
 * No answer came in time, after the retry where there was one. The command may still run, unless `sent` is false.
 *
 * @example
 * ```ts
 * import { CallTimeoutError } from "brokkr";
 *
 * export function mayAskAgain(error: unknown): boolean {
 *   return error instanceof CallTimeoutError && !error.sent;
 * }
 * ```
 */
export class CallTimeoutError extends BrokerError {
  /** Name of the class. */
  override readonly name = "CallTimeoutError";
  /** Stable, for programs. */
  override readonly code = "TIMEOUT";
  /** Milliseconds one attempt was given. */
  readonly timeoutMs: number;
  /** How often the call was sent; 0 where it never left the queue. */
  readonly attempts: number;
  /** False where the call waited in the queue all the time, so that it certainly did not run. */
  readonly sent: boolean;
  /** `blocked`: the peer's event loop gave no sign of life; `slow`: it did, only the command took too long. */
  readonly peer: "blocked" | "slow";

  /** Made by brokkr. */
  constructor(callee: Callee, facts: Pick<CallTimeoutError, "timeoutMs" | "attempts" | "sent" | "peer">) {
    const reason = `timeout (${formatTimeout(facts.timeoutMs)})`;
    const why = !facts.sent
      ? `it was never sent, since ${nameOf(callee)} did not become ready or free`
      : `${nameOf(callee)} is ${facts.peer}, ${facts.attempts} attempt${facts.attempts === 1 ? "" : "s"}`;
    super(`${cannotCall(callee)}: ${reason}: ${why}`, reason);
    this.timeoutMs = facts.timeoutMs;
    this.attempts = facts.attempts;
    this.sent = facts.sent;
    this.peer = facts.peer;
  }
}
