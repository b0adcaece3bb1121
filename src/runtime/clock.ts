import type { Clock } from "./runtime.ts";

/** Above it `setTimeout` of every runtime fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of this machine; what comes after pending events is the runtime's own affair. */
export function systemClock(soon: (fn: () => void) => void): Clock {
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    timer,
    soon,
  };
}

function timer(ms: number, fn: () => void): () => void {
  if (!(ms > LONGEST_MS)) {
    const handle = setTimeout(fn, ms);
    return () => clearTimeout(handle);
  }
  let clear = timer(LONGEST_MS, () => {
    clear = timer(ms - LONGEST_MS, fn);
  });
  return () => clear();
}
