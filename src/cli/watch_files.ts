/**
 * `brokkr run --watch`: looks after the files of modules, and what they import of the user's own files, and says which module has
 * changed. It compares sizes and times, since not every file system reports changes.
 */

import { readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { attempt } from "../core/checks.ts";
import { sleep } from "../core/duration.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Config } from "./config/read_config.ts";
import { isFile, statsOf } from "./files.ts";

/** How often it looks. A change that is not followed by another one until the next look is over. */
const LOOK_MS = 250;

export interface WatchOptions {
  readonly clock: Clock;
  /** Files by the name of what they belong to; asked for again after each change. */
  readonly files: () => ReadonlyMap<string, readonly string[]>;
  /** Called when `files` of `name` have changed, and no other change came since; the next one waits for it. */
  readonly changed: (name: string, files: readonly string[]) => Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Settles with `signal`. */
export async function watchFiles({ clock, files, changed, signal }: WatchOptions): Promise<void> {
  let watched = files();
  let seen = new Map<string, string>();
  const pending = new Map<string, Set<string>>();
  const look = (): boolean => {
    const now = new Map<string, string>();
    let isQuiet = true;
    for (const [name, paths] of watched) {
      for (const path of paths) {
        const state = stateOf(path);
        const before = seen.get(path);
        now.set(path, state ?? before ?? "");
        // A file that is gone is about to be written again.
        if (state === null || before === undefined || before === state) continue;
        isQuiet = false;
        pending.set(name, (pending.get(name) ?? new Set()).add(path));
      }
    }
    seen = now;
    return isQuiet;
  };
  look();
  while (!signal.aborted) {
    await sleep(clock, LOOK_MS);
    if (!look() || pending.size === 0) continue;
    for (const [name, paths] of pending) {
      pending.delete(name);
      await changed(name, [...paths]);
    }
    // They may import others now.
    watched = files();
  }
}

function stateOf(path: string): string | null {
  const stats = statsOf(path);
  return stats === undefined ? null : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}

/** The files of each module: its own and what it imports, or those that a program's command names. */
export function filesOf({ modules, folder }: Config): Map<string, readonly string[]> {
  return new Map(modules.map((module) => {
    if ("url" in module) return [module.name, importedFiles(fileURLToPath(module.url), { missing: true })];
    const { program: { command }, settings: { cwd = folder } } = module;
    const named = command.filter((word) => !word.startsWith("/") && !word.startsWith("-"));
    return [module.name, named.map((word) => resolve(cwd, word)).filter(isFile)];
  }));
}

/** `import … from "./x"`, `export … from`, `import("./x")` and `require("./x")`. */
const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*(?:\(\s*)?["'](\.{1,2}\/[^"'\n]+)["']/g;
const CODE = /\.[cm]?[jt]sx?$/;
const ENDINGS = ["", ".ts", ".js", ".mts", ".mjs", ".cts", ".cjs", ".json", "/index.ts", "/index.js"];

/**
 * `file`, and all that it imports by a relative path, by any way. With `missing` also each path at which an import that is not there
 * may come back: an editor may be replacing it, or a user be about to write it.
 */
export function importedFiles(file: string, { missing = false } = {}): string[] {
  const found = new Set([file]);
  for (const path of found) {
    if (!CODE.test(path) || !isFile(path)) continue;
    // An editor may be replacing it.
    const text = attempt(() => readFileSync(path, "utf8")) ?? "";
    for (const [, specifier = ""] of text.matchAll(IMPORT)) {
      const target = join(dirname(path), specifier);
      // TypeScript may name what a file is compiled to.
      const source = target.replace(/\.([cm]?)js$/, ".$1ts");
      const paths = [...ENDINGS.map((ending) => target + ending), ...extname(target) === "" ? [] : [source]];
      const existing = paths.find(isFile);
      if (existing !== undefined) found.add(existing);
      else if (missing) { for (const path of extname(target) === "" ? paths : [target, source]) found.add(path); }
    }
  }
  return [...found];
}
