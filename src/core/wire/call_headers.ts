/**
 * What travels with a call beside its command and parameters: both codecs write and read it by one table.
 *
 * @module
 */

import { isBoolean, isNumber, isText, optional } from "../field_checks.ts";
import { FieldTable } from "./fields.ts";

export interface CallHeaders {
  /** From a module to its broker: the module that is to run the command. */
  readonly target?: string;
  /** With `target`: how long the caller waits for one attempt. */
  readonly timeoutMs?: number;
  /** From the broker: who called, where it was not the broker itself. */
  readonly caller?: string;
  /** The result is to come item by item. */
  readonly stream?: boolean;
  /** To a program of another language: a notification, which it gives no answer to. */
  readonly notify?: boolean;
}

/** What is missing or wrong is left out. */
const HEADERS = new FieldTable<CallHeaders>({
  target: optional(isText),
  timeoutMs: optional(isNumber),
  caller: optional(isText),
  stream: optional(isBoolean),
  notify: optional(isBoolean),
}, { target: undefined, timeoutMs: undefined, caller: undefined, stream: undefined, notify: undefined });

/** In the order they are written. */
export const CALL_HEADERS: readonly string[] = HEADERS.keys;

export function readHeaders(value: unknown): CallHeaders | null {
  return typeof value === "object" && value !== null ? HEADERS.read(value, "headers") : null;
}

/** As JSON. */
export function headersText(headers: CallHeaders | null): string {
  return headers === null ? "null" : HEADERS.write(headers);
}

/** Those that `headers` has, in their order. */
export function headerEntries(headers: CallHeaders): [key: string, value: unknown][] {
  return Object.entries(HEADERS.pick(headers));
}
