/**
 * Errors as they cross processes. A thrown value is reduced to name, message, stack and data in the callee; brokkr's own errors
 * travel by code and facts and are made anew in the caller, so that `stack` is the caller's and `instanceof` holds.
 *
 * @module
 */

import {
  type BrokerError,
  CallCancelledError,
  type Callee,
  CallTimeoutError,
  PayloadError,
  ProcessGoneError,
  QueueFullError,
  RemoteError,
  UnknownCommandError,
  UnknownModuleError,
} from "../errors/mod.ts";
import { classNameOf, isError, textOf } from "../thrown.ts";

/** What a handler threw. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly data?: unknown;
}

/** One of brokkr's own errors: its code and its facts. */
export type BrokerFault =
  | { readonly code: "TIMEOUT"; timeoutMs: number; attempts: number; sent: boolean; peer: "blocked" | "slow" }
  | { readonly code: "REMOTE"; message: string; remoteName: string; remoteStack: string; data?: unknown }
  | { readonly code: "UNKNOWN_COMMAND"; nearest: string | null }
  | { readonly code: "UNKNOWN_MODULE"; nearest: string | null }
  | {
    readonly code: "GONE";
    reason: string;
    exitCode: number | null;
    signal: string | null;
    lastLines: readonly string[];
  }
  | { readonly code: "CANCELLED"; acknowledged: boolean; cause?: unknown }
  | { readonly code: "QUEUE_FULL"; depth: number; limit: number }
  | { readonly code: "PAYLOAD"; reason: string; bytes: number | null; limit: number };

const MAX_TEXT = 64 * 1024;
const MAX_CAUSES = 4;

/** Reduces whatever was thrown. Never throws, even where a getter of the thrown value does. */
export function describeThrown(thrown: unknown): ThrownError {
  try {
    return described(thrown);
  } catch {
    // A proxy may be an error when it is first looked at, and throw when it is looked at again.
    return { name: "Error", message: cut(textOf(thrown)), stack: "" };
  }
}

function described(thrown: unknown): ThrownError {
  if (!isError(thrown)) return { name: "Error", message: cut(textOf(thrown)), stack: "" };
  const error = {
    name: cut(read(thrown, "name")),
    message: cut(read(thrown, "message")),
    stack: cut(stackWithCauses(thrown)),
  };
  const data = readData(thrown);
  return data === undefined ? error : { ...error, data };
}

/** Makes the error that the caller gets for `fault`. Created where it is thrown, so that the stack is the caller's. */
export function toError(fault: BrokerFault, callee: Callee): BrokerError {
  switch (fault.code) {
    case "TIMEOUT":
      return new CallTimeoutError(callee, fault);
    case "REMOTE":
      return new RemoteError(fault);
    case "UNKNOWN_COMMAND":
      return new UnknownCommandError(callee, fault);
    case "UNKNOWN_MODULE":
      return new UnknownModuleError(callee, fault);
    case "GONE":
      return new ProcessGoneError(callee, fault);
    case "CANCELLED":
      return new CallCancelledError(callee, fault);
    case "QUEUE_FULL":
      return new QueueFullError(callee, fault);
    case "PAYLOAD":
      return new PayloadError(callee, fault);
  }
}

/** The inverse of {@link toError}, for an error that is passed on to the process that made the call. */
export function toFault(error: BrokerError): BrokerFault {
  if (error instanceof CallTimeoutError) {
    return {
      code: error.code,
      timeoutMs: error.timeoutMs,
      attempts: error.attempts,
      sent: error.sent,
      peer: error.peer,
    };
  }
  if (error instanceof RemoteError) {
    const { message, remoteName, remoteStack, data } = error;
    return { code: error.code, message, remoteName, remoteStack, ...(data === undefined ? {} : { data }) };
  }
  if (error instanceof UnknownCommandError) return { code: error.code, nearest: error.nearest };
  if (error instanceof UnknownModuleError) return { code: error.code, nearest: error.nearest };
  if (error instanceof ProcessGoneError) {
    const { code, reason, exitCode, signal, lastLines } = error;
    return { code, reason, exitCode, signal, lastLines: [...lastLines] };
  }
  if (error instanceof CallCancelledError) return { code: error.code, acknowledged: error.acknowledged };
  if (error instanceof QueueFullError) return { code: error.code, depth: error.depth, limit: error.limit };
  if (error instanceof PayloadError) {
    return { code: error.code, reason: error.reason, bytes: error.bytes, limit: error.limit };
  }
  return { code: "REMOTE", message: error.message, remoteName: error.name, remoteStack: error.stack ?? "" };
}

function read(error: Error, key: "name" | "message" | "stack"): string {
  try {
    const value: unknown = key === "name" ? classNameOf(error) : error[key];
    return value === undefined ? "" : textOf(value);
  } catch (problem) {
    return `(reading "${key}" threw ${textOf(problem)})`;
  }
}

function stackWithCauses(error: Error): string {
  let text = read(error, "stack");
  // A handler that lets the error of its own call through: the place where it began is in the third process.
  if (error instanceof RemoteError && error.remoteStack !== "") text += `\nCaused by: ${error.remoteStack}`;
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES; depth++) {
    current = causeOf(current);
    if (!isError(current)) break;
    text += `\nCaused by: ${read(current, "stack") || `${read(current, "name")}: ${read(current, "message")}`}`;
  }
  return text;
}

function causeOf(error: unknown): unknown {
  try {
    return isError(error) ? error.cause : undefined;
  } catch {
    return undefined;
  }
}

function readData(error: Error): unknown {
  try {
    const data: unknown = Reflect.get(error, "data");
    if (data === undefined) return undefined;
    const text = JSON.stringify(data);
    return text === undefined || text.length > MAX_TEXT ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
