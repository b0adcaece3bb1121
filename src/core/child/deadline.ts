/**
 * Waiting: pauses, and deadlines to which the time in which this process itself stood still does not count.
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

/** What `act` comes to. @throws {Error} that says `tooLate` where that takes longer than `ms`. */
export async function within<T>(clock: Clock, ms: number, act: Promise<T>, tooLate: string): Promise<T> {
  let clear = () => {};
  const late = new Promise<never>((_, reject) => {
    clear = deadline(clock, ms, () => reject(new Error(tooLate)));
  });
  return await Promise.race([act, late]).finally(() => clear());
}

/** Settles after `ms`. */
export async function pause(clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => void clock.timer(ms, resolve));
}
