/** The ways in which a command can fail, with their exit codes. */

import { BrokerError, type ErrorCode } from "../core/faults.ts";
import { messageOf } from "../core/user_code.ts";

export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  timeout: 3,
  unknown: 4,
  gone: 5,
  interrupted: 130,
} as const;

/** The exit code of each error of a call, and what to do next, which stands after its message. */
const OF_CALL: Readonly<Record<ErrorCode, readonly [exitCode: number, next: string]>> = {
  REMOTE: [ExitCode.failed, "see the broker's log for its stack, or call with --json"],
  PAYLOAD: [ExitCode.failed, "parameters and results must be plain data within the limit"],
  TIMEOUT: [ExitCode.timeout, "give it more time with --timeout, or see the broker's log"],
  UNKNOWN_COMMAND: [ExitCode.unknown, 'see the commands with "brokkr describe"'],
  UNKNOWN_MODULE: [ExitCode.unknown, 'see the modules with "brokkr status"'],
  GONE: [ExitCode.gone, 'see the broker\'s log, or "brokkr status"'],
  QUEUE_FULL: [ExitCode.gone, "call again later, or raise the module's queue"],
  CANCELLED: [ExitCode.interrupted, "call again"],
};

interface CliErrorOptions extends ErrorOptions {
  /** @default that of a wrong usage or configuration */
  readonly exitCode?: number;
}

/** A failure that its message explains; printed without a stack. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly exitCode: number;

  constructor(message: string, { exitCode = ExitCode.usage, ...options }: CliErrorOptions = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** No broker can be reached. */
export class NoBrokerError extends CliError {
  override readonly name = "NoBrokerError";
  readonly code = "GONE";

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, exitCode: ExitCode.gone });
  }
}

/** `error` as a wrong usage or configuration, which it is. */
export function asUsage(error: unknown): CliError {
  return error instanceof CliError ? error : new CliError(messageOf(error), { cause: error });
}

/** The exit code of a call's error; `code` is absent where it is another error. */
export function exitCodeOfCall(code: ErrorCode | null | undefined): number {
  return code === null || code === undefined ? ExitCode.failed : OF_CALL[code][0];
}

/** The exit code of a failure, or null for a bug. */
export function exitCodeOf(error: unknown): number | null {
  if (error instanceof BrokerError) return OF_CALL[error.code][0];
  return error instanceof CliError ? error.exitCode : null;
}

/** One line for people: what failed, where, and what to do next. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof BrokerError ? `${error.message}; ${OF_CALL[error.code][1]}` : error.message;
}
