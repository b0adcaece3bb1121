import { BrokerError, type Callee, cannotCall } from "./broker_error.ts";

/**
 * The caller's `signal` was aborted; its reason is the `cause`.
 *
 * @example A call that may be made again at once, since the first one certainly does not run
 * ```ts
 * import { CallCancelledError } from "brokkr";
 *
 * export function hasEnded(error: unknown): boolean {
 *   return error instanceof CallCancelledError && error.acknowledged;
 * }
 * ```
 */
export class CallCancelledError extends BrokerError {
  /** Name of the class. */
  override readonly name = "CallCancelledError";
  /** Stable, for programs. */
  override readonly code = "CANCELLED";
  /** True where the call certainly does not run: it was never sent, or its handler ended after it was told. */
  readonly acknowledged: boolean;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { acknowledged: boolean; cause?: unknown }) {
    super(`${cannotCall(callee)}: cancelled`, "cancelled", { cause: facts.cause });
    this.acknowledged = facts.acknowledged;
  }
}
