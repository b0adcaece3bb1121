// At once: what it takes is what was there when the library was loaded.
import "./posix/clock.ts";
import { requireMinimum } from "./posix/minimum.ts";
import type { Runtime } from "./runtime.ts";

/** The adapter of the runtime that this process runs on. The others are never loaded. Ends a process whose runtime is too old. */
export async function detectRuntime(): Promise<Runtime> {
  requireMinimum();
  if ("Deno" in globalThis) return (await import("./deno/index.ts")).denoRuntime();
  if ("Bun" in globalThis) return (await import("./bun/index.ts")).bunRuntime();
  return (await import("./node/index.ts")).nodeRuntime();
}
