// At once: what it takes is what was there when the library was loaded.
import "./clock.ts";
import { requireMinimum } from "./minimum.ts";
import type { Runtime } from "./runtime.ts";

/** The adapter of the runtime that this process runs on. The others are never loaded. Ends a process whose runtime is too old. */
export async function detectRuntime(): Promise<Runtime> {
  requireMinimum();
  if ("Deno" in globalThis) return (await import("./deno_subprocess.ts")).denoRuntime();
  if ("Bun" in globalThis) return (await import("./bun_spawn.ts")).bunRuntime();
  return (await import("./node_fork.ts")).nodeRuntime();
}
