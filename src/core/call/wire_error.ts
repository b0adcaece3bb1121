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
import { jsonText } from "../wire/json_text.ts";
import { joinedStacks, userStack } from "../log/user_stack.ts";
import { classNameOf, headline, isError, textOf } from "../thrown.ts";
import { isFault, readFault } from "./fault_fields.ts";

/** What a handler threw. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly data?: unknown;
  /** Those that an AggregateError holds. */
  readonly errors?: readonly ThrownError[] | undefined;
}

/** One of brokkr's own errors: its code and its facts. */
export type BrokerFault =
  | { readonly code: "TIMEOUT"; timeoutMs: number; attempts: number; sent: boolean; peer: "blocked" | "slow" }
  | {
    readonly code: "REMOTE";
    message: string;
    remoteName: string;
    remoteStack: string;
    data?: unknown;
    errors?: readonly ThrownError[] | undefined;
  }
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
/** Errors within errors, all together. */
const MAX_ERRORS = 100;
/** Of each text of an error within another one. */
const MAX_INNER_TEXT = 8 * 1024;
/** A cause that is no error is shown by so much of it. */
const MAX_CAUSE_TEXT = 1_000;

/** Reduces whatever was thrown. Never throws, even where a getter of the thrown value does. */
export function describeThrown(thrown: unknown): ThrownError {
  const room = { text: MAX_TEXT, errors: MAX_ERRORS };
  try {
    return described(thrown, room);
  } catch {
    // A proxy may be an error when it is first looked at, and throw when it is looked at again.
    return { name: "Error", message: cut(textOf(thrown), room.text), stack: "" };
  }
}

/** What may still be said. */
interface Room {
  readonly text: number;
  errors: number;
}

function described(thrown: unknown, room: Room): ThrownError {
  if (!isErrorLike(thrown)) return { name: "Error", message: cut(textOf(thrown), room.text), stack: "" };
  const errors = innerErrors(thrown, room);
  const error = {
    name: cut(read(thrown, "name"), room.text) || "Error",
    message: cut(read(thrown, "message"), room.text),
    stack: cut(wholeStack(thrown, errors), room.text),
  };
  const data = readData(thrown);
  return { ...error, ...(data === undefined ? {} : { data }), ...(errors.length === 0 ? {} : { errors }) };
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
  if (error instanceof RemoteError) {
    const { code, message, remoteName, remoteStack, data, errors } = error;
    return readFault({ code, message, remoteName, remoteStack, data, errors: errors.map(thrownOf) });
  }
  return readFault(
    isFault(error) ? { ...error } : { message: error.message, remoteName: error.name, remoteStack: error.stack },
  );
}

function thrownOf({ remoteName, message, remoteStack, data, errors }: RemoteError): ThrownError {
  return {
    name: remoteName,
    message,
    stack: remoteStack,
    ...(data === undefined ? {} : { data }),
    ...(errors.length === 0 ? {} : { errors: errors.map(thrownOf) }),
  };
}

type ErrorKey = "name" | "message" | "stack" | "cause" | "errors" | "data";

/** Whether something is told of by its own words: an error, or an object that has a message as one has. */
function isErrorLike(value: unknown): value is object {
  if (isError(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  const message = get(value, "message");
  return "value" in message && typeof message.value === "string";
}

function get(error: object, key: ErrorKey): { value: unknown } | { problem: unknown } {
  try {
    return { value: Reflect.get(error, key) };
  } catch (problem) {
    return { problem };
  }
}

function read(error: object, key: "name" | "message" | "stack"): string {
  try {
    const value: unknown = key === "name" && isError(error) ? classNameOf(error) : Reflect.get(error, key);
    return value === undefined ? "" : textOf(value);
  } catch (problem) {
    return `(reading "${key}" threw ${textOf(problem)})`;
  }
}

function wholeStack(error: object, errors: readonly ThrownError[]): string {
  const own = userStack(read(error, "stack"));
  const parts = [own];
  for (const [index, inner] of errors.entries()) {
    parts.push(`Error ${index + 1} of ${errors.length}: ${inner.stack || headline(inner)}`);
  }
  // A handler that lets the error of its own call through: the place where it began is in the third process.
  if (error instanceof RemoteError && error.remoteStack !== "") {
    parts.push(`Caused by: ${error.remoteStack}`);
  }
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof current === "object" && current !== null; depth++) {
    const cause = get(current, "cause");
    if (!("value" in cause) || cause.value === undefined || cause.value === null) break;
    current = cause.value;
    parts.push(`Caused by: ${causeText(current)}`);
  }
  return parts.length === 1 ? own : joinedStacks(parts);
}

function causeText(cause: unknown): string {
  if (isErrorLike(cause)) {
    return userStack(read(cause, "stack")) ||
      headline({ name: read(cause, "name") || "Error", message: read(cause, "message") });
  }
  return cut(plainText(cause), MAX_CAUSE_TEXT);
}

function plainText(value: unknown): string {
  if (typeof value !== "object" || value === null) return textOf(value);
  try {
    return jsonText(value) ?? textOf(value);
  } catch {
    return textOf(value);
  }
}

/** What an AggregateError holds: only errors count, as others have lists of that name, too. */
function innerErrors(error: object, room: Room): ThrownError[] {
  const errors = get(error, "errors");
  if (!("value" in errors)) return [];
  try {
    const list: unknown = errors.value;
    if (!Array.isArray(list) || !list.some(isError) && !(error instanceof AggregateError)) return [];
    const inner: ThrownError[] = [];
    const { length } = list;
    for (let index = 0; index < length && room.errors > 0; index++) {
      room.errors--;
      const within: Room = { text: MAX_INNER_TEXT, errors: room.errors };
      inner.push(described(list[index], within));
      room.errors = within.errors;
    }
    return inner;
  } catch {
    return [];
  }
}

function readData(error: object): unknown {
  try {
    const data: unknown = Reflect.get(error, "data");
    if (data === undefined) return undefined;
    const text = jsonText(data);
    return text === undefined || text.length > MAX_TEXT ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
