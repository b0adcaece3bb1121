/**
 * What a program asks of a call, checked, with the broker's defaults.
 *
 * @module
 */

import type { CallSettings } from "../module/context.ts";
import { isTimeout, wrongTimeout } from "../broker/options.ts";
import type { SubmitOptions } from "./caller_options.ts";

/** What was asked last, where it said a time at most: nearly all calls to a target are alike, and share it. */
let last: SubmitOptions | undefined;

/** @throws {TypeError} that names the command, what it is and what it should be. */
export function checkedRequest(
  call: { readonly target: string; readonly command: string; readonly params: unknown },
  settings: CallSettings,
  defaults: { readonly timeoutMs: number; readonly retry: "once" | "never" },
): SubmitOptions {
  const { target, command, params } = call;
  if (!Array.isArray(params)) throw new TypeError(`Cannot call command "${command}": params must be a list`);
  const { retry } = defaults;
  const { timeoutMs = defaults.timeoutMs, totalTimeoutMs, signal, thread, onProgress } = settings;
  const isPlain = totalTimeoutMs === undefined && signal === undefined && thread === undefined &&
    onProgress === undefined;
  if (isPlain && timeoutMs === last?.timeoutMs && target === last.target && retry === last.retry) return last;
  if (!isTimeout(timeoutMs)) throw wrongTimeout(`Cannot call command "${command}": timeoutMs`, timeoutMs);
  if (totalTimeoutMs !== undefined && !isTimeout(totalTimeoutMs)) {
    throw wrongTimeout(`Cannot call command "${command}": totalTimeoutMs`, totalTimeoutMs);
  }
  const request = { target, timeoutMs, totalTimeoutMs, retry, signal, thread, onProgress };
  if (isPlain) last = request;
  return request;
}
