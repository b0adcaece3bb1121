/**
 * A thrown value, which may be anything, reduced to what can cross: name, message, stack and data.
 *
 * @module
 */

import { RemoteError, type ThrownError } from "../faults.ts";
import { joinedStacks, userStack } from "../log/stack.ts";
import { classNameOf, headline, isError, textOf } from "../thrown.ts";
import { jsonText } from "../wire/serializable.ts";

const MAX_TEXT = 64 * 1024;
const MAX_CAUSES = 4;
/** Errors within errors, in total. */
const MAX_ERRORS = 100;
/** Characters of each text of an error within another. */
const MAX_INNER_TEXT = 8 * 1024;
/** Characters that are shown of a cause that is no error. */
const MAX_CAUSE_TEXT = 1_000;

/** Reduces whatever was thrown. Never throws, even where a getter of the thrown value does. */
export function describeThrown(thrown: unknown): ThrownError {
  const room = { text: MAX_TEXT, errors: MAX_ERRORS };
  try {
    return described(thrown, room);
  } catch {
    // A proxy may look like an error first, and throw when it is read again.
    return { name: "Error", message: cut(textOf(thrown), room.text), stack: "" };
  }
}

/** How much more may be described. */
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

type ErrorKey = "name" | "message" | "stack" | "cause" | "errors" | "data";

/** An error, or an object that has a message as an error has. */
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
  // A handler whose own call failed: the error began in a third process.
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

/** The errors of an AggregateError. Others may have a list of that name too, so only errors count. */
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
