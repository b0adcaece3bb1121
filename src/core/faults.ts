/**
 * What a call can be rejected with, in one table: the class of each error, its code, its wording, and its fields as they cross
 * between processes.
 *
 * An error crosses as its fault, by code and facts, and is made anew in the caller, so that `stack` is the caller's and `instanceof`
 * holds. `reason` is the short text of the operator's line, behind `because of error:`.
 */

import { formatTimeout } from "./duration.ts";
import {
  FieldSet,
  isAnything,
  isBoolean,
  isNumber,
  isRecord,
  isText,
  listOf,
  oneOf,
  optional,
  orNull,
} from "./checks.ts";

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

/** What each fault says beside its code. */
interface Facts {
  TIMEOUT: Pick<CallTimeoutError, "timeoutMs" | "attempts" | "sent" | "peer"> & Detail;
  REMOTE:
    & Pick<RemoteError, "message" | "remoteName" | "remoteStack">
    & Pick<ThrownError, "data" | "errors" | "expected">;
  UNKNOWN_COMMAND: Pick<UnknownCommandError, "nearest">;
  UNKNOWN_MODULE: Pick<UnknownModuleError, "nearest">;
  GONE: Pick<ProcessGoneError, "reason" | "exitCode" | "signal" | "lastLines"> & Detail;
  /** What made the caller cancel stays with the caller. */
  CANCELLED: Pick<CallCancelledError, "acknowledged"> & { readonly cause?: unknown };
  QUEUE_FULL: Pick<QueueFullError, "depth" | "limit">;
  PAYLOAD: Pick<PayloadError, "reason" | "bytes" | "limit">;
}

/** Why the callee's process did not come up, where it is known. */
interface Detail {
  readonly detail?: string | undefined;
}

/** One of brokkr's own errors: its code and its facts. */
export type BrokerFault<C extends ErrorCode = ErrorCode> = { [K in C]: { readonly code: K } & Facts[K] }[C];

/** What a handler threw. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly data?: unknown;
  /** Those that an AggregateError holds. */
  readonly errors?: readonly ThrownError[] | undefined;
  /** Whether its class is one of those that the module expects: an answer like any other. */
  readonly expected?: boolean | undefined;
}

interface Row<C extends ErrorCode> {
  readonly error: (target: CallTarget, fault: BrokerFault<C>) => BrokerError;
  readonly fields: FieldSet<Omit<BrokerFault<C>, "cause">>;
}

const FAULTS: { readonly [C in ErrorCode]: Row<C> } = {
  TIMEOUT: {
    error: (target, fault) => new CallTimeoutError(target, fault),
    fields: new FieldSet({
      code: [oneOf("TIMEOUT"), "TIMEOUT"],
      timeoutMs: [isNumber, 0],
      attempts: [isNumber, 0],
      sent: [isBoolean, false],
      peer: [oneOf("blocked", "slow"), "slow"],
      detail: optional(isText),
    }),
  },
  REMOTE: {
    error: (_, fault) => new RemoteError(fault),
    fields: new FieldSet({
      code: [oneOf("REMOTE"), "REMOTE"],
      message: [isText, ""],
      remoteName: [isName, "Error"],
      remoteStack: [isText, ""],
      data: isAnything,
      errors: optional(listOf(isThrown)),
      expected: optional(isBoolean),
    }),
  },
  UNKNOWN_COMMAND: {
    error: (target, fault) => new UnknownCommandError(target, fault),
    fields: new FieldSet({ code: [oneOf("UNKNOWN_COMMAND"), "UNKNOWN_COMMAND"], nearest: [orNull(isName), null] }),
  },
  UNKNOWN_MODULE: {
    error: (target, fault) => new UnknownModuleError(target, fault),
    fields: new FieldSet({ code: [oneOf("UNKNOWN_MODULE"), "UNKNOWN_MODULE"], nearest: [orNull(isName), null] }),
  },
  GONE: {
    error: (target, fault) => new ProcessGoneError(target, fault),
    fields: new FieldSet({
      code: [oneOf("GONE"), "GONE"],
      reason: [isText, ""],
      exitCode: [orNull(isNumber), null],
      signal: [orNull(isName), null],
      lastLines: [listOf(isText), []],
      detail: optional(isText),
    }),
  },
  CANCELLED: {
    error: (target, fault) => new CallCancelledError(target, fault),
    fields: new FieldSet({ code: [oneOf("CANCELLED"), "CANCELLED"], acknowledged: [isBoolean, false] }),
  },
  QUEUE_FULL: {
    error: (target, fault) => new QueueFullError(target, fault),
    fields: new FieldSet({ code: [oneOf("QUEUE_FULL"), "QUEUE_FULL"], depth: [isNumber, 0], limit: [isNumber, 0] }),
  },
  PAYLOAD: {
    error: (target, fault) => new PayloadError(target, fault),
    fields: new FieldSet({
      code: [oneOf("PAYLOAD"), "PAYLOAD"],
      reason: [isText, ""],
      bytes: [orNull(isNumber), null],
      limit: [isNumber, 0],
    }),
  },
};

const THROWN = new FieldSet<ThrownError>({
  name: [isName, "Error"],
  message: [isText, ""],
  stack: [isText, ""],
  data: isAnything,
  errors: optional(listOf(isThrown)),
  expected: optional(isBoolean),
});

/** The error that the caller gets for `fault`. Made where it is thrown, so that the stack is the caller's. */
export function toError<C extends ErrorCode>(fault: BrokerFault<C>, target: CallTarget): BrokerError {
  const row: Row<C> = FAULTS[fault.code];
  return row.error(target, fault);
}

/** The inverse of {@link toError}, for an error that is passed on to the process that made the call. */
export function toFault(error: BrokerError): BrokerFault {
  if (error instanceof RemoteError) return remoteFault(thrownOf(error));
  if (isCode(error.code)) return FAULTS[error.code].fields.read(error);
  return remoteFault({ name: error.name, message: error.message, stack: error.stack ?? "" });
}

function thrownOf({ remoteName, message, remoteStack, data, errors, expected }: RemoteError): ThrownError {
  return {
    name: remoteName,
    message,
    stack: remoteStack,
    ...(data === undefined ? {} : { data }),
    ...(errors.length === 0 ? {} : { errors: errors.map(thrownOf) }),
    ...(expected ? { expected } : {}),
  };
}

/** What a caller gets for what a handler threw. */
export function remoteFault({ name, message, stack, ...more }: ThrownError): BrokerFault<"REMOTE"> {
  return { code: "REMOTE", message, remoteName: name, remoteStack: stack, ...more };
}

/** What of a fault crosses. */
export function faultFields<C extends ErrorCode>(fault: BrokerFault<C>): object {
  return FAULTS[fault.code].fields.pick(fault);
}

/** What of a thrown value crosses. */
export function thrownFields(thrown: ThrownError): object {
  return THROWN.pick(thrown);
}

/** What a peer says is the fault, of which nothing is believed. One of an unknown code becomes that of a handler that threw. */
export function readFault(value: unknown): BrokerFault {
  const code = isRecord(value) ? value["code"] : undefined;
  return FAULTS[isCode(code) ? code : "REMOTE"].fields.read(withErrors(value));
}

/** What a peer says its handler threw. */
export function readThrown(value: unknown): ThrownError {
  return THROWN.read(withErrors(value));
}

/** The errors within one are read as it is. */
function withErrors(value: unknown): unknown {
  if (!isRecord(value) || !Array.isArray(value["errors"])) return value;
  return { ...value, errors: value["errors"].map(readThrown) };
}

/** Whether all of a thrown value is there, as a process says it of itself. */
export function isThrown(value: unknown): value is ThrownError {
  return THROWN.isWhole(value);
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(FAULTS, code);
}

function isName(value: unknown): value is string {
  return isText(value) && value !== "";
}

/** The call that failed: what was called, and on whom. */
export interface CallTarget {
  /** Name of the module, the worker or the broker. */
  readonly target: string;
  /** Name of the command. */
  readonly command: string;
  /** What failed, if it is not a call. @default the call */
  readonly action?: "start" | "stop" | "restart" | "reload" | "scale" | "inspect";
}

/**
 * Base class of the errors that a call rejects with. `stack` is the caller's.
 *
 * @example One way to map the errors to HTTP status codes
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
  /** Identifies the class, even where `instanceof` can't. */
  abstract readonly code: ErrorCode;
  /** The short cause, as the log line has it. */
  readonly reason: string;

  /** Made by brokkr; `cause` is the error behind it. */
  constructor(message: string, reason: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * No answer arrived in time, not even to the retry if there was one. The command may still be running, unless `sent` is false.
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
  /** Milliseconds of one attempt. */
  readonly timeoutMs: number;
  /** How many times the call was sent; 0 if it never left the queue. */
  readonly attempts: number;
  /** False if the call never left the queue, so it certainly did not run. */
  readonly sent: boolean;
  /** `blocked`: the callee did not answer a ping. `slow`: it did, so the command takes too long. */
  readonly peer: "blocked" | "slow";
  /** Why the callee's last start failed, if the call waited for the next one. */
  readonly detail: string | undefined;

  /** Made by brokkr. */
  constructor(target: CallTarget, facts: Facts["TIMEOUT"]) {
    const reason = `timeout (${formatTimeout(facts.timeoutMs)})`;
    const notReady = facts.detail === undefined ? " or free" : `: ${facts.detail}`;
    const why = !facts.sent
      ? `it was never sent, since ${nameOf(target)} did not become ready${notReady}`
      : `${nameOf(target)} is ${facts.peer}, ${facts.attempts} attempt${facts.attempts === 1 ? "" : "s"}`;
    super(`${cannotCall(target)}: ${reason}: ${why}`, reason);
    this.timeoutMs = facts.timeoutMs;
    this.attempts = facts.attempts;
    this.sent = facts.sent;
    this.peer = facts.peer;
    this.detail = facts.detail;
  }
}

/**
 * The command's handler threw. `message` is the thrown error's; `stack` is the caller's.
 *
 * @example An error of the module's own
 * ```ts
 * import { RemoteError } from "brokkr";
 *
 * export function isDatabaseError(error: unknown): boolean {
 *   return error instanceof RemoteError && error.remoteName === "DatabaseError";
 * }
 * ```
 */
export class RemoteError extends BrokerError {
  /** Name of the class. */
  override readonly name = "RemoteError";
  /** Stable, for programs. */
  override readonly code = "REMOTE";
  /** Class name of the thrown error; `Error` if the thrown value is not an error. */
  readonly remoteName: string;
  /** Stack in the callee's process, or an empty string. */
  readonly remoteStack: string;
  /** The error's `data` property, if it has one that can be sent. */
  readonly data: unknown;
  /** The errors of an `AggregateError`, at most 100 in total; empty for any other. */
  readonly errors: readonly RemoteError[];
  /** Whether the module lists the error's class in `expected`. */
  readonly expected: boolean;

  /** Made by brokkr. */
  constructor(facts: Facts["REMOTE"]) {
    super(facts.message, facts.message === "" ? facts.remoteName : facts.message);
    this.remoteName = facts.remoteName;
    this.remoteStack = facts.remoteStack;
    this.data = facts.data;
    this.expected = facts.expected === true;
    this.errors = (facts.errors ?? []).map(({ name, stack, ...more }) =>
      new RemoteError({ ...more, remoteName: name, remoteStack: stack })
    );
  }
}

/**
 * The callee has no such command.
 *
 * @example
 * ```ts
 * import { UnknownCommandError } from "brokkr";
 *
 * export function hint(error: unknown): string | null {
 *   return error instanceof UnknownCommandError ? error.nearest : null;
 * }
 * ```
 */
export class UnknownCommandError extends BrokerError {
  /** Name of the class. */
  override readonly name = "UnknownCommandError";
  /** Stable, for programs. */
  override readonly code = "UNKNOWN_COMMAND";
  /** The name that was called. */
  readonly command: string;
  /** The callee's command with the most similar name, or null if none is similar. */
  readonly nearest: string | null;

  /** Made by brokkr. */
  constructor(target: CallTarget, facts: Facts["UNKNOWN_COMMAND"]) {
    super(`${cannotCall(target)}: unknown command${didYouMean(facts)}`, "unknown command");
    this.command = target.command;
    this.nearest = facts.nearest;
  }
}

/**
 * The broker has no module with that name. Nothing was sent.
 *
 * @example
 * ```ts
 * import { UnknownModuleError } from "brokkr";
 *
 * export function hint(error: unknown): string | null {
 *   return error instanceof UnknownModuleError ? error.nearest : null;
 * }
 * ```
 */
export class UnknownModuleError extends BrokerError {
  /** Name of the class. */
  override readonly name = "UnknownModuleError";
  /** Stable, for programs. */
  override readonly code = "UNKNOWN_MODULE";
  /** The name that was called. */
  readonly target: string;
  /** The module with the most similar name, or null if none is similar. */
  readonly nearest: string | null;

  /** Made by brokkr. */
  constructor(target: CallTarget, facts: Facts["UNKNOWN_MODULE"]) {
    super(`${cannotCall(target)}: unknown module${didYouMean(facts)}`, "unknown module");
    this.target = target.target;
    this.nearest = facts.nearest;
  }
}

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
  /** Null if a signal ended the process, or if there was none. */
  readonly exitCode: number | null;
  /** Such as `SIGKILL`; null if no signal ended the process. */
  readonly signal: string | null;
  /** The last lines that the process wrote to standard error, at most 20. */
  readonly lastLines: readonly string[];
  /** Why the process never became ready, as in its log lines; undefined if it was ready. */
  readonly detail: string | undefined;

  /** Made by brokkr. */
  constructor(
    target: CallTarget,
    facts: Facts["GONE"],
  ) {
    const why = facts.detail === undefined ? facts.reason : `${facts.reason}: ${facts.detail}`;
    super(`${cannotCall(target)}: ${withLastLines(why, facts)}`, facts.reason);
    this.exitCode = facts.exitCode;
    this.signal = facts.signal;
    this.lastLines = facts.lastLines;
    this.detail = facts.detail;
  }
}

/**
 * The caller's `signal` was aborted; its reason is the `cause`.
 *
 * @example Whether the call certainly no longer runs, so that it is safe to repeat
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
  /** True if the command certainly no longer runs: the call was never sent, or its handler has ended. */
  readonly acknowledged: boolean;

  /** Made by brokkr. */
  constructor(target: CallTarget, facts: Facts["CANCELLED"]) {
    super(`${cannotCall(target)}: cancelled`, "cancelled", { cause: facts.cause });
    this.acknowledged = facts.acknowledged;
  }
}

/**
 * The callee's queue is full. Nothing was sent.
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
  /** How much waits, in the unit of `limit`. */
  readonly depth: number;
  /** How many calls may wait, or bytes if bytes filled the queue. */
  readonly limit: number;

  /** Made by brokkr. */
  constructor(target: CallTarget, facts: Facts["QUEUE_FULL"]) {
    const reason = `queue is full (${facts.limit})`;
    super(`${cannotCall(target)}: ${reason}`, reason);
    this.depth = facts.depth;
    this.limit = facts.limit;
  }
}

/**
 * The parameters or the result are too large, or contain something that can't be sent, such as a function.
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
   * Bytes of the encoded value, or null if it could not be encoded. brokkr stops encoding a value far over the limit, so that one is
   * larger.
   */
  readonly bytes: number | null;
  /** Bytes that a frame may have. */
  readonly limit: number;

  /** Made by brokkr. */
  constructor(target: CallTarget, facts: Facts["PAYLOAD"]) {
    super(`${cannotCall(target)}: ${facts.reason}`, facts.reason);
    this.bytes = facts.bytes;
    this.limit = facts.limit;
  }
}

/** Text of a {@link PayloadError} for a value over the limit. */
export function overLimit(bytes: number | string, limit: number): string {
  return `payload of ${bytes} bytes is over the limit of ${limit}`;
}

/** What calls are rejected with to what is gone without an exit that brokkr saw. */
export function goneFault(reason: string): BrokerFault<"GONE"> {
  return { code: "GONE", reason, exitCode: null, signal: null, lastLines: [] };
}

/** What ended a process, and what it printed last. */
export function withLastLines(why: string, { lastLines }: Pick<ProcessGoneError, "lastLines">): string {
  return lastLines.length === 0 ? why : `${why}; its last lines: ${lastLines.join(" | ")}`;
}

/** The beginning of every message. */
function cannotCall(target: CallTarget): string {
  if (target.action !== undefined) return `Cannot ${target.action} ${nameOf(target)}`;
  return `Cannot call command "${target.command}" of ${nameOf(target)}`;
}

/** The callee, in words. */
function nameOf(target: CallTarget): string {
  return `module "${target.target}"`;
}

function didYouMean({ nearest }: { readonly nearest: string | null }): string {
  return nearest === null ? "" : `, did you mean "${nearest}"`;
}
