/**
 * What a user's code throws inside brokkr's own work.
 *
 * @module
 */

import type { Clock } from "../runtime/runtime.ts";

/**
 * Makes `error` an uncaught error of this process, on a turn of its own: the frame, the call or the peer that was at work when the
 * user's code threw is not at fault, and goes on.
 */
export function throwUncaught(clock: Pick<Clock, "soon">, error: unknown): void {
  clock.soon(() => {
    throw error;
  });
}
