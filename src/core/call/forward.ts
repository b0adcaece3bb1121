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

/** Two attempts of the caller, and then some, so that it is always the caller that gives up first. */
const FORWARD_PATIENCE = 3;

type Forwarded = Pick<CallRequest, "timeoutMs" | "retry" | "quiet" | "signal" | "onProgress">;

/** The caller keeps the time, retries and tells, so the way in between does not. Its cancelling and the progress go through. */
export function forwarded(timeoutMs: number, context: RunningCall): Forwarded {
  return {
    timeoutMs: timeoutMs * FORWARD_PATIENCE,
    retry: "never",
    quiet: true,
    signal: context.signal,
    onProgress: progressTo(context),
  };
}

/** For a command that tells what another one does: what can't be sent on is left out, as is what nobody reads. */
export function progressTo(context: Pick<CallContext, "progress">): (value: unknown) => void {
  return (value) => {
    try {
      context.progress(value);
    } catch {
      // Too large for this way, or without a form on it: the call goes on.
    }
  };
}

/** Settles with the result, or with the items of a stream. @throws {BrokerError} */
export async function passOn(to: StreamTarget, { command, params, options }: ReceivedCall): Promise<unknown> {
  if (options?.stream === true) return new CallStream(command, params, () => to);
  return await to.caller.call(command, params, to.options);
}
