/**
 * What all errors of calls have in common.
 *
 * @module
 */

/** Stable name of a way to fail, one for each class. */
export type ErrorCode =
  | "TIMEOUT"
  | "REMOTE"
  | "UNKNOWN_COMMAND"
  | "UNKNOWN_MODULE"
  | "GONE"
  | "CANCELLED"
  | "QUEUE_FULL"
  | "PAYLOAD";

/** The call that failed: what was called, and on whom. */
export interface Callee {
  /** Name of the module, the worker or the broker. */
  readonly target: string;
  /** Name of the command. */
  readonly command: string;
}

/**
 * Base of all errors that a call is rejected with. `stack` is the caller's.
 *
 * @example One way to tell a user of HTTP what went wrong
 * ```ts
 * import { BrokerError, type ErrorCode } from "brokkr";
 *
 * const statuses = new Map<ErrorCode, number>([["TIMEOUT", 504], ["QUEUE_FULL", 429], ["GONE", 503], ["PAYLOAD", 413]]);
 * export function statusOf(error: unknown): number {
 *   return error instanceof BrokerError ? statuses.get(error.code) ?? 500 : 500;
 * }
 * ```
 */
export abstract class BrokerError extends Error {
  /** Which class it is; stays the same where the class can't be asked for. */
  abstract readonly code: ErrorCode;
  /** The short cause, as it stands in the operator's line. */
  readonly reason: string;

  /** Made by brokkr; `cause` is what lies behind it. */
  constructor(message: string, reason: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/** How every message begins. */
export function cannotCall(callee: Callee): string {
  return `Cannot call command "${callee.command}" of ${nameOf(callee)}`;
}

/** The callee, in words. */
export function nameOf(callee: Callee): string {
  return `module "${callee.target}"`;
}
