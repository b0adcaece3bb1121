import { BrokerError, type Callee, cannotCall } from "./broker_error.ts";

/**
 * As many calls wait as the callee's queue may hold. Nothing was sent.
 *
 * @example
 * ```ts
 * import { QueueFullError } from "brokkr";
 *
 * export function shouldSlowDown(error: unknown): boolean {
 *   return error instanceof QueueFullError;
 * }
 * ```
 */
export class QueueFullError extends BrokerError {
  /** Name of the class. */
  override readonly name = "QueueFullError";
  /** Stable, for programs. */
  override readonly code = "QUEUE_FULL";
  /** Calls that wait, in the unit of `limit`. */
  readonly depth: number;
  /** Calls, or bytes where the bytes were what filled the queue. */
  readonly limit: number;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { depth: number; limit: number }) {
    const reason = `queue is full (${facts.limit})`;
    super(`${cannotCall(callee)}: ${reason}`, reason);
    this.depth = facts.depth;
    this.limit = facts.limit;
  }
}
