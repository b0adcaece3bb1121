/**
 * The executables of programs in other languages: whether each is there, and may be run.
 *
 * @module
 */

import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import type { Runtime } from "../runtime/runtime.ts";
import type { Config, ConfigProgram } from "./config/config.ts";
import { ConfigError, type Problem } from "./config/config_error.ts";

/** Where a system looks that has no PATH. */
const DEFAULT_PATH = "/usr/bin:/bin";

/** @throws {ConfigError} with each executable that can't be started, at its place. */
export function checkExecutables({ modules }: Config, { env }: Pick<Runtime, "env">): void {
  const folders = (env.get("PATH") ?? DEFAULT_PATH).split(":");
  const problems: Problem[] = [];
  for (const module of modules) {
    const wrong = "program" in module ? whatIsWrong(module, folders) : null;
    if (wrong !== null) problems.push({ ...module.place, message: `Cannot start module "${module.name}": ${wrong}` });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** A name is looked up on PATH, in whose folders the empty one is the working directory. */
function whatIsWrong(
  { program: { command }, settings: { cwd } }: ConfigProgram,
  folders: readonly string[],
): string | null {
  const [executable = ""] = command;
  const isName = !executable.includes("/");
  const base = cwd ?? process.cwd();
  const paths = isName ? folders.map((folder) => resolve(base, folder, executable)) : [resolve(base, executable)];
  const files = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
  if (files.some(mayRun)) return null;
  if (files.length > 0) return `executable "${files[0]}" may not be run, check its mode`;
  const where = isName ? "is in no folder of PATH" : "does not exist";
  return `executable "${executable}" ${where}, install it or correct its path`;
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
