import { immediate, isFaked, systemClock } from "../posix/clock.ts";
import type { Clock } from "../runtime.ts";

declare function reportError(error: unknown): void;

/**
 * The clock as Bun has it. Fake timers of Bun's test runner stop every clock of the process, not only those that a test can replace:
 * then time is known from the engine's timers alone, each of which tells when it ends that its time has passed.
 */
export function bunClock(): Clock {
  const clock = systemClock(soon);
  const wallAhead = clock.wall() - clock.now();
  let last = 0;
  const now = () => isFaked() ? last : last = clock.now();
  return {
    ...clock,
    // What an immediate throws is printed without its own stack, and the process goes on.
    throwUncaught: (error) => soon(() => reportError(error)),
    now,
    wall: () => isFaked() ? wallAhead + last : clock.wall(),
    timer(ms, fn) {
      const due = now() + ms;
      return clock.timer(ms, () => {
        last = Math.max(last, due);
        fn();
      });
    },
  };
}

/** The first immediate runs before the sockets are asked again. */
function soon(fn: () => void): void {
  immediate(() => immediate(fn));
}
