import type { BunNamespace } from "./namespace.ts";
import { fromSmapsRollup } from "../posix/memory_figures.ts";
import { process } from "../node/global.ts";
import * as self from "../node/self.ts";
import type { MemoryUsage } from "../runtime.ts";

declare const Bun: BunNamespace;

/** Where the files of a compiled binary seem to stand. */
const IN_BINARY = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN)/;

/** Whether this process runs a compiled binary, where all of brokkr is one file. */
export function isBinary(): boolean {
  return IN_BINARY.test(Bun.main);
}

/** Without `node:fs`, which costs a new process 2 ms. */
export async function memory(pid: number): Promise<MemoryUsage> {
  if (process.platform !== "linux") return await self.memory(pid);
  try {
    return fromSmapsRollup(await Bun.file(`/proc/${pid}/smaps_rollup`).text());
  } catch {
    return await self.memory(pid);
  }
}

/** The same. The descriptor by which they are counted is among them. */
// deno-lint-ignore require-await
export async function openFiles(): Promise<number | null> {
  try {
    let count = 0;
    const all = new Bun.Glob("*").scanSync({ cwd: "/proc/self/fd", onlyFiles: false, followSymlinks: false });
    for (const _ of all) count++;
    return count;
  } catch {
    return null;
  }
}
