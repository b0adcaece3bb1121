import process from "node:process";
import type { Runtime } from "../runtime/runtime.ts";

/** What to do where this runtime can't load the TypeScript file at `path`, else null. */
export function typescriptRemedy(runtime: Runtime, path: string): string | null {
  if (runtime.name !== "node" || !/\.[cm]?ts$/.test(path)) return null;
  // Node 22.18 and later strip types by themselves.
  if (Reflect.get(process.features, "typescript")) return null;
  return `Node ${runtime.version} cannot load TypeScript, compile it to JavaScript or run brokkr with Deno or Bun`;
}
