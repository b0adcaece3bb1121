import type { BunNamespace } from "./namespace.ts";
import { pause } from "../posix/clock.ts";
import { process } from "../node/global.ts";

declare const Bun: BunNamespace;

/** So much less on the heap that the pages behind it are worth waiting for. */
const MUCH_BYTES = 16 * 1024 * 1024;
/** Bun gives pages back from a thread of its own, within this time of the collection. */
const PAGES_MS = 100;

/** Collects garbage; where that was much, settles when its pages are given back too, so that figures read then are right. */
export async function collectGarbage(): Promise<boolean> {
  const before = process.memoryUsage().heapUsed;
  Bun.gc(true);
  if (before - process.memoryUsage().heapUsed > MUCH_BYTES) {
    await pause(PAGES_MS);
  }
  return true;
}
