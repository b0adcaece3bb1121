/** The file of a configuration: the nearest one, and its text. */

import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { messageOf } from "../../core/user_code.ts";
import { failureCode } from "../../runtime/posix/failure_reason.ts";
import { CliError } from "../exit_codes.ts";
import { upwards } from "../files.ts";
import { ConfigError } from "./document.ts";
import process from "node:process";

export const CONFIG_NAMES = ["brokkr.json", "brokkr.jsonc"];

/** The configuration in this folder or the nearest one above it, as a relative path. @throws {CliError} where there is none. */
export function nearestConfig(action: string): string {
  const from = process.cwd();
  for (const folder of upwards(from)) {
    const path = CONFIG_NAMES.map((name) => join(folder, name)).find(existsSync);
    if (path !== undefined) return relative(from, path);
  }
  const hint = 'name a file, write one with "brokkr init", or see "brokkr demo"';
  throw new CliError(`Cannot ${action}: there is no brokkr.json in "${from}" or above it, ${hint}`);
}

/** Far more than anyone writes; a larger file is another one. */
const MAX_BYTES = 1024 * 1024;

/** @throws {ConfigError} where there is no such file, or none that can be a configuration. */
export async function readText(file: string): Promise<string> {
  try {
    const { size } = await fileAt(file);
    if (size > MAX_BYTES) {
      throw wrong(file, `it has ${size} bytes and may have ${MAX_BYTES}, name a configuration`);
    }
    // A byte order mark is dropped with the decoding.
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof TypeError) throw wrong(file, "it is not UTF-8 text, save it as such");
    throw wrong(file, whyNot(error), error);
  }
}

async function fileAt(file: string): Promise<{ size: number }> {
  const stats = await stat(file);
  if (stats.isFile()) return stats;
  const what = stats.isDirectory() ? "a folder" : "no file";
  throw wrong(file, `it is ${what} and should be a configuration file`);
}

function wrong(file: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ file, line: null, column: null, message }], { cause });
}

function whyNot(error: unknown): string {
  const code = failureCode(error);
  if (code === "ENOENT") return "it does not exist, correct its path";
  if (code === "EACCES") return "it may not be read, check its mode";
  return messageOf(error);
}
