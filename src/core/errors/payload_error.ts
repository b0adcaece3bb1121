import { BrokerError, type Callee, cannotCall } from "./broker_error.ts";

/**
 * Parameters or result are too large, or hold what can't be sent, such as a function.
 *
 * @example
 * ```ts
 * import { PayloadError } from "brokkr";
 *
 * export function timesTooLarge(error: PayloadError): number | null {
 *   return error.bytes === null ? null : error.bytes / error.limit;
 * }
 * ```
 */
export class PayloadError extends BrokerError {
  /** Name of the class. */
  override readonly name = "PayloadError";
  /** Stable, for programs. */
  override readonly code = "PAYLOAD";
  /**
   * Size of the encoded value, or null where it could not be encoded. Of a value far over the limit, which is not encoded to its end,
   * it has more.
   */
  readonly bytes: number | null;
  /** Bytes that one frame may have. */
  readonly limit: number;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { reason: string; bytes: number | null; limit: number }) {
    super(`${cannotCall(callee)}: ${facts.reason}`, facts.reason);
    this.bytes = facts.bytes;
    this.limit = facts.limit;
  }
}

/** Text of a {@link PayloadError} for a value over the limit. */
export function overLimit(bytes: number | string, limit: number): string {
  return `payload of ${bytes} bytes is over the limit of ${limit}`;
}
