/** Durations, as text and on the clock. A deadline does not count the time in which a process could not run. */

import type { Clock } from "../runtime/runtime.ts";

/** A measured time: `143` milliseconds are `0.143s`, always three decimals. */
export function formatDuration(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(3)}s`;
}

/** A configured time as the shortest decimal: `1000` milliseconds are `1s`, `500` are `0.5s`. */
export function formatTimeout(ms: number): string {
  // Rounded to a microsecond, so that no exponent is ever printed.
  return `${Math.round(ms * 1000) / 1_000_000}s`;
}

/** Milliseconds of the digits before the `s` of a printed time: `0.143` is 143. `NaN` where they are no number. */
export function parseSeconds(seconds: string): number {
  return DECIMAL.test(seconds) ? Math.round(Number(seconds) * 1_000_000) / 1000 : NaN;
}

const DECIMAL = /^\d{1,15}(?:\.\d{1,15})?$/;

/** A timer that is later than this fired in a process that was stopped, or had no time to listen. */
export const STANDSTILL_MS = 50;
/** The time that is then given once more, so that what was waiting to be read can be. */
const GRACE_MS = 1_000;

/**
 * Calls `fn` after `ms`. Returns the function that clears it.
 *
 * @param waitedMs how long the process that has this time had no processor in its life, which does not count either
 */
export function deadline(clock: Clock, ms: number, fn: () => void, waitedMs: () => number = () => 0): () => void {
  let counted = 0;
  let clear = wait(ms, false);
  return () => clear();

  function wait(ms: number, isLast: boolean): () => void {
    const since = clock.now();
    return clock.timer(ms, () => {
      const passed = clock.now() - since;
      const all = waitedMs();
      // Mostly it is cleared, so what was before is not read at the start.
      const waited = Math.min(all - counted, passed);
      counted = all;
      if (waited >= STANDSTILL_MS) clear = wait(waited, isLast);
      else if (isLast || passed - ms < STANDSTILL_MS) fn();
      else clear = wait(Math.min(ms, GRACE_MS), true);
    });
  }
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
export async function sleep(clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => void clock.timer(ms, resolve));
}
