import { timer } from "./clock.ts";

const PAUSE_MS = 25;

/**
 * Calls `fn` when `count` has stood still for two pauses. One is not enough: after a long computation timers run before
 * what arrived in the meantime is read. Returns the function that calls it off.
 */
export function whenSilent(count: () => number, fn: () => void): () => void {
  let seen = count();
  let pauses = 0;
  let clear = timer(PAUSE_MS, look);
  return () => clear();

  function look(): void {
    pauses = seen === count() ? pauses + 1 : 0;
    seen = count();
    if (pauses === 2) fn();
    else clear = timer(PAUSE_MS, look);
  }
}
