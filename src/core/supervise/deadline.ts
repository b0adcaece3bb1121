/**
 * Deadlines for processes: the time in which this process itself stood still does not count.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

/** A timer that is later than this fired in a process that was stopped, or had no time to listen. */
export const STANDSTILL_MS = 50;
/** What is then given once more, so that what was waiting to be read can be. */
const GRACE_MS = 1_000;

/** Calls `fn` after `ms`. Returns the function that clears it. */
export function deadline(clock: Clock, ms: number, fn: () => void): () => void {
  const due = clock.now() + ms;
  let clear = clock.timer(ms, () => {
    if (clock.now() - due < STANDSTILL_MS) fn();
    else clear = clock.timer(Math.min(ms, GRACE_MS), fn);
  });
  return () => clear();
}
