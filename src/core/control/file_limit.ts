import type { Runtime } from "../../runtime/runtime.ts";
import { within } from "../duration.ts";

/** A shell tells at once. */
const TELL_MS = 2_000;
/** Of the files that a process may have open, most are for its modules. */
const SHARE = 1 / 4;

/** `most` connections, or a quarter of the files that this process may have open where that is less. */
export async function shareOfFiles(runtime: Runtime, most: number): Promise<number> {
  const limit = await within(runtime.clock, TELL_MS, openFileLimit(runtime), "no answer").catch(() => Infinity);
  return Math.max(1, Math.min(most, Math.floor(limit * SHARE)));
}

/** No runtime tells its own limit; a shell has the same one. */
async function openFileLimit(runtime: Runtime): Promise<number> {
  const shell = await runtime.spawnCommand(["/bin/sh", "-c", "ulimit -n"], { env: {}, group: false });
  let text = "";
  const ended = new Promise<void>((resolve) => {
    shell.channel.open({
      data: (chunk) => text += new TextDecoder().decode(chunk),
      drained: () => {},
      closed: () => resolve(),
    });
  });
  await Promise.all([ended, shell.exited]);
  return /^\d+\s*$/.test(text) ? Number(text) : Infinity;
}
