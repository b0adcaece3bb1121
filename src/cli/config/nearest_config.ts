import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { CliError, ExitCode } from "../cli_error.ts";

export const CONFIG_NAMES = ["brokkr.json", "brokkr.jsonc"];

/** The configuration in this folder or the nearest one above it, as a relative path. @throws {CliError} where there is none. */
export function nearestConfig(action: string): string {
  const from = process.cwd();
  for (let folder = from;; folder = dirname(folder)) {
    for (const name of CONFIG_NAMES) {
      const path = join(folder, name);
      if (existsSync(path)) return relative(from, path);
    }
    if (dirname(folder) === folder) break;
  }
  const hint = 'name a file, write one with "brokkr init", or see "brokkr demo"';
  throw new CliError(`Cannot ${action}: there is no brokkr.json in "${from}" or above it, ${hint}`, ExitCode.usage);
}
