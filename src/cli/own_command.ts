/**
 * How this installation of brokkr is called from a shell.
 *
 * @module
 */

import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";

/** What stands for `brokkr` in a command that is typed in `folder`. */
export function ownCommand(runtime: Runtime, folder: string): string {
  const { program, name } = runtime;
  const file = program === null ? process.execPath : pathOf(program);
  if (isOnPath(file)) return "brokkr";
  if (program === null) return shellWord(fromFolder(file, folder));
  if (name !== "deno" && isInstalled(file, folder)) return name === "bun" ? "bunx --bun brokkr" : "npx brokkr";
  const runner = name === "deno" ? "deno run -A" : name;
  return `${runner} ${shellWord(fromFolder(file, folder))}`;
}

/** A word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function pathOf(program: string): string {
  return program.startsWith("file:") ? fileURLToPath(program) : program;
}

/** What npx puts in front of PATH is gone when it ends. */
function isOnPath(file: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return folders.some((folder) => folder !== "" && isSame(join(folder, "brokkr"), file));
}

/** Where npx looks, from `folder` upwards. */
function isInstalled(file: string, folder: string): boolean {
  for (let at = folder;; at = dirname(at)) {
    const bin = join(at, "node_modules/.bin/brokkr");
    if (existsSync(bin)) return isSame(bin, file);
    if (dirname(at) === at) return false;
  }
}

function isSame(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}

/** A program in the folder itself is named with the dot that shells want. */
function fromFolder(file: string, folder: string): string {
  const way = relative(folder, file);
  return way.startsWith("..") || way.startsWith("/") ? file : `./${way}`;
}
