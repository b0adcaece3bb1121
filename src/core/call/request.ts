/**
 * What a program asks of a call, checked, with the broker's defaults.
 *
 * @module
 */

import type { CallSettings } from "../module/context.ts";
import { show } from "../show.ts";
import { keysOf, refuseUnknown } from "../unknown_key.ts";
import type { SubmitOptions } from "./caller_options.ts";

/** What a call may say; the compiler asks for each. */
const CALL_SETTINGS = keysOf<CallSettings>({
  timeoutMs: true,
  totalTimeoutMs: true,
  retry: true,
  onProgress: true,
  signal: true,
  thread: true,
});

/** What was asked last, where it said a time at most: nearly all calls to a target are alike, and share it. */
let last: SubmitOptions | undefined;

/** Where a caller says nothing. */
export const NO_SETTINGS: CallSettings = {};

/** @throws {TypeError} that names the command, what it is and what it should be. */
export function checkedRequest(
  call: { readonly target: string; readonly command: string; readonly params: unknown },
  settings: CallSettings,
  defaults: { readonly timeoutMs: number; readonly retry: "once" | "never" },
): SubmitOptions {
  const { target, command, params } = call;
  const at = `Cannot call command "${command}"`;
  if (!Array.isArray(params)) throw new TypeError(`${at}: params must be a list, and it is ${show(params)}`);
  if (settings !== NO_SETTINGS) checkSettings(at, settings);
  const { retry = defaults.retry, timeoutMs = defaults.timeoutMs, totalTimeoutMs, signal, thread, onProgress } =
    settings;
  const isPlain = totalTimeoutMs === undefined && signal === undefined && thread === undefined &&
    onProgress === undefined;
  if (isPlain && timeoutMs === last?.timeoutMs && target === last.target && retry === last.retry) return last;
  const request = { target, timeoutMs, totalTimeoutMs, retry, signal, thread, onProgress };
  if (isPlain) last = request;
  return request;
}

function checkSettings(at: string, settings: unknown): void {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new TypeError(`${at}: its options must be an object, and it is ${show(settings)}`);
  }
  refuseUnknown(at, settings, CALL_SETTINGS);
  const { timeoutMs, totalTimeoutMs, retry, onProgress, signal, thread }: Unchecked = settings;
  if (timeoutMs !== undefined && !isTimeout(timeoutMs)) throw wrongTimeout(`${at}: timeoutMs`, timeoutMs);
  if (totalTimeoutMs !== undefined && !isTimeout(totalTimeoutMs)) {
    throw wrongTimeout(`${at}: totalTimeoutMs`, totalTimeoutMs);
  }
  if (retry !== undefined && retry !== "once" && retry !== "never") {
    throw new TypeError(`${at}: retry must be "once" or "never", and it is ${show(retry)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`${at}: onProgress must be a function, and it is ${show(onProgress)}`);
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw new TypeError(`${at}: signal must be an AbortSignal, and it is ${show(signal)}`);
  }
  if (thread !== undefined && typeof thread !== "string") {
    throw new TypeError(`${at}: thread must be a text, and it is ${show(thread)}`);
  }
}

type Unchecked = { readonly [K in keyof CallSettings]?: unknown };

/** By what is used of one: that of another realm, or of a library, is as good. */
function isSignal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "aborted" in value && typeof value.aborted === "boolean" &&
    "addEventListener" in value && typeof value.addEventListener === "function" &&
    "removeEventListener" in value && typeof value.removeEventListener === "function";
}

export function isTimeout(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

export function wrongTimeout(what: string, value: unknown): TypeError {
  return new TypeError(`${what} must be a number of milliseconds above 0, and it is ${String(value)}`);
}
