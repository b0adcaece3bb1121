import type { DenoNamespace } from "./deno_namespace.ts";
import { fromPs, fromSmapsRollup, UNKNOWN_MEMORY } from "./memory_figures.ts";
import type { Environment, MemoryFigures } from "./runtime.ts";
import { writeWhole } from "./write_error.ts";

declare const Deno: DenoNamespace;
declare function setImmediate(fn: () => void): unknown;

/** What a process of Deno knows of itself and of the machine. A right that it lacks reads as "not there". */

export const environment: Environment = {
  get: (name) => allowed(() => Deno.env.get(name), undefined),
  set: (name, value) => allowed(() => Deno.env.set(name, value), undefined),
  remove: (name) => allowed(() => Deno.env.delete(name), undefined),
  all: () => allowed(() => Deno.env.toObject(), {}),
};

export function program(): string | null {
  if (Deno.build.standalone) return null;
  const url = Deno.mainModule;
  return url.startsWith("file:") ? decodeURIComponent(new URL(url).pathname) : url;
}

export function soon(fn: () => void): void {
  setImmediate(fn);
}

export async function memory(pid: number): Promise<MemoryFigures> {
  try {
    if (Deno.build.os === "linux") return fromSmapsRollup(await Deno.readTextFile(`/proc/${pid}/smaps_rollup`));
    const ps = new Deno.Command("ps", {
      args: ["-o", "rss=", "-p", String(pid)],
      env: {},
      clearEnv: true,
      detached: false,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    });
    return fromPs(await new Response(ps.spawn().stdout).text());
  } catch {
    return pid === Deno.pid ? { ...UNKNOWN_MEMORY, rssBytes: Deno.memoryUsage().rss } : UNKNOWN_MEMORY;
  }
}

export async function openFiles(): Promise<number | null> {
  try {
    let count = 0;
    for await (const _ of Deno.readDir("/proc/self/fd")) count++;
    return count;
  } catch {
    return null;
  }
}

type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/** Plain `gc()` gives nothing back for object data; two collections of last resort do. */
export function collectGarbage(): Promise<boolean> {
  const collect: Collect | undefined = Reflect.get(globalThis, "gc");
  if (collect === undefined) return Promise.resolve(false);
  for (let round = 0; round < 2; round++) collect({ type: "major", execution: "sync", flavor: "last-resort" });
  return Promise.resolve(true);
}

export function onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP", fn: () => void): () => void {
  Deno.addSignalListener(signal, fn);
  return () => Deno.removeSignalListener(signal, fn);
}

export function writeError(text: string): void {
  writeWhole(text, (bytes) => Deno.stderr.writeSync(bytes));
}

function allowed<T>(fn: () => T, otherwise: T): T {
  try {
    return fn();
  } catch {
    return otherwise;
  }
}
