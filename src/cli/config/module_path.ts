/**
 * Paths of module files: what a configuration names is code that runs, so it stays within the configuration's folder, and this
 * runtime must be able to load it.
 *
 * @module
 */

import { realpathSync, statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../../runtime/runtime.ts";

export interface ModulePath {
  readonly url: string;
  /** What is wrong with the path, as the end of a sentence that begins with it; else null. */
  readonly wrong: string | null;
}

export function modulePath(path: string, { folder, runtime }: { folder: string; runtime: Runtime }): ModulePath {
  const resolved = resolve(folder, path);
  return { url: pathToFileURL(resolved).href, wrong: whatIsWrong(path, { folder, resolved, runtime }) };
}

function whatIsWrong(
  path: string,
  { folder, resolved, runtime }: { folder: string; resolved: string; runtime: Runtime },
): string | null {
  const shown = JSON.stringify(path);
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return `must be a path and not a URL, and it is ${shown}`;
  if (!isWithin(folder, resolved)) return outside(shown, resolved);
  const stats = statSync(resolved, { throwIfNoEntry: false });
  if (stats === undefined) return `${shown} does not exist ("${resolved}"), correct it or write the file`;
  if (!stats.isFile()) return `${shown} must be a file, and it is a folder ("${resolved}")`;
  const real = realpathSync(resolved);
  if (!isWithin(realpathSync(folder), real)) return outside(shown, real);
  const remedy = typescriptRemedy(runtime, path);
  return remedy === null ? null : `${shown}: ${remedy}`;
}

function outside(shown: string, resolved: string): string {
  return `must be in the configuration's folder, and it is ${shown} ("${resolved}")`;
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep);
}

/** What to do if this runtime can't load the TypeScript file at `path`, else null. */
export function typescriptRemedy(runtime: Runtime, path: string): string | null {
  if (runtime.name !== "node" || !/\.[cm]?ts$/.test(path)) return null;
  // Node 22.18 and later strip types.
  if (Reflect.get(process.features, "typescript")) return null;
  return `Node ${runtime.version} cannot load TypeScript, compile it to JavaScript or run brokkr with Deno or Bun`;
}
