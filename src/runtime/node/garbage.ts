import { immediate } from "../posix/clock.ts";
import { process } from "./global.ts";

/**
 * Collects garbage and gives the pages back. `gc()` keeps the space for new objects, 32 MiB after a program has loaded much;
 * what the inspector runs gives that back too, without a port or a debugger.
 */
export async function collectGarbage(): Promise<boolean> {
  return await collectByInspector() || await collectByEngine();
}

/** False in a build without inspector, and where the permission model forbids it. */
async function collectByInspector(): Promise<boolean> {
  if (!process.features.inspector) return false;
  try {
    const { Session } = await import("node:inspector");
    const session = new Session();
    session.connect();
    try {
      return await new Promise((resolve) => {
        session.post("HeapProfiler.collectGarbage", (error) => resolve(error === null));
      });
    } finally {
      session.disconnect();
    }
  } catch {
    return false;
  }
}

async function collectByEngine(): Promise<boolean> {
  const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  if (typeof collect !== "function") return false;
  collect();
  // Only in a later turn can the second round give back the pages that the first one emptied.
  await new Promise<void>(immediate);
  collect();
  return true;
}
