/**
 * The text of a configuration file.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import { ConfigError } from "./config_error.ts";
import { messageOf } from "../../core/thrown.ts";
import { failureCode } from "../../runtime/posix/failure_reason.ts";

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
