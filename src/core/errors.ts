/**
 * What a call can be rejected with. Every class has a stable `code`, its facts as fields, and `reason`: the short text that
 * stands in the operator's line after `because of error:`.
 *
 * @module
 */

import { formatTimeout } from "./log/duration.ts";

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

/** The command's handler threw. `message` is that of what it threw; `stack` is the caller's. */
export class RemoteError extends BrokerError {
  /** Name of the class. */
  override readonly name = "RemoteError";
  /** Stable, for programs. */
  override readonly code = "REMOTE";
  /** Class of the thrown error, `Error` for what is not one. */
  readonly remoteName: string;
  /** Stack in the callee's process, or an empty text. */
  readonly remoteStack: string;
  /** What the error carried in a `data` property, where it could be sent. */
  readonly data: unknown;

  /** Made by brokkr. */
  constructor(facts: { message: string; remoteName: string; remoteStack: string; data?: unknown }) {
    super(facts.message, facts.message === "" ? facts.remoteName : facts.message);
    this.remoteName = facts.remoteName;
    this.remoteStack = facts.remoteStack;
    this.data = facts.data;
  }
}

/** The callee has no such command. */
export class UnknownCommandError extends BrokerError {
  /** Name of the class. */
  override readonly name = "UnknownCommandError";
  /** Stable, for programs. */
  override readonly code = "UNKNOWN_COMMAND";
  /** The name that was called. */
  readonly command: string;
  /** The callee's command with the most similar name, if any is similar. */
  readonly nearest: string | null;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { nearest: string | null }) {
    const hint = facts.nearest === null ? "" : `, did you mean "${facts.nearest}"`;
    super(`${cannotCall(callee)}: unknown command${hint}`, "unknown command");
    this.command = callee.command;
    this.nearest = facts.nearest;
  }
}

/** The broker has no module of that name. Known before anything is sent. */
export class UnknownModuleError extends BrokerError {
  /** Name of the class. */
  override readonly name = "UnknownModuleError";
  /** Stable, for programs. */
  override readonly code = "UNKNOWN_MODULE";
  /** The name that was called. */
  readonly target: string;
  /** The module with the most similar name, if any is similar. */
  readonly nearest: string | null;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { nearest: string | null }) {
    const hint = facts.nearest === null ? "" : `, did you mean "${facts.nearest}"`;
    super(`${cannotCall(callee)}: unknown module${hint}`, "unknown module");
    this.target = callee.target;
    this.nearest = facts.nearest;
  }
}

/** The callee's process ended before it answered, or never came up. */
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

/** The caller's `signal` was aborted; its reason is the `cause`. */
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

/** As many calls wait as the callee's queue may hold. Nothing was sent. */
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

/** Parameters or result are too large, or hold what can't be sent, such as a function. */
export class PayloadError extends BrokerError {
  /** Name of the class. */
  override readonly name = "PayloadError";
  /** Stable, for programs. */
  override readonly code = "PAYLOAD";
  /** Size of the encoded value, or null where it could not be encoded. */
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
export function overLimit(bytes: number, limit: number): string {
  return `payload of ${bytes} bytes is over the limit of ${limit}`;
}

function cannotCall(callee: Callee): string {
  return `Cannot call command "${callee.command}" of ${nameOf(callee)}`;
}

function nameOf(callee: Callee): string {
  return `module "${callee.target}"`;
}
