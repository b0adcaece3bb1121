/**
 * Calls that are passed on, since their caller has no channel to their callee.
 *
 * @module
 */

import type { ReceivedCall } from "../wire/columns.ts";
import { CallStream, type StreamTarget } from "./stream.ts";
import type { CallContext } from "../module/module.ts";
import type { CallRequest } from "./call.ts";
import type { RunningCall } from "./server.ts";

/** More than two attempts of the caller, so that the caller always gives up first. */
const FORWARD_PATIENCE = 3;

type Forwarded = Pick<CallRequest, "timeoutMs" | "retry" | "quiet" | "signal" | "onProgress">;

/** The caller times out, retries and logs, so the process in between does not. Cancelling and progress pass through. */
export function forwarded(timeoutMs: number, context: RunningCall): Forwarded {
  return {
    timeoutMs: timeoutMs * FORWARD_PATIENCE,
    retry: "never",
    quiet: true,
    signal: context.signal,
    onProgress: progressTo(context),
  };
}

/** Passes on the progress of another command. A value that can't be sent is left out. */
export function progressTo(context: Pick<CallContext, "progress">): (value: unknown) => void {
  return (value) => {
    try {
      context.progress(value);
    } catch {
      // Too large, or without a form in this codec: the call goes on.
    }
  };
}

/** Settles with the result, or with the items of a stream. @throws {BrokerError} */
export async function passOn(to: StreamTarget, { command, params, options }: ReceivedCall): Promise<unknown> {
  if (options?.stream === true) return new CallStream(command, params, () => to);
  return await to.caller.call(command, params, to.options);
}
