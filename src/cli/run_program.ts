/**
 * Running a program that starts a broker by itself.
 *
 * @module
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { PROGRAM_VARIABLE } from "./program_variable.ts";

/** Names of the errors of a control socket that can't be opened. */
const UNREACHABLE = ["NameTakenError", "ControlSocketError"];

/** Never settles while the program runs: its process ends when the program has nothing left to do, or its broker has drained. */
export async function runProgram(runtime: Runtime, path: string): Promise<number> {
  const program = pathToFileURL(resolve(path)).href;
  runtime.env.set(PROGRAM_VARIABLE, program);
  // The program may import another copy of the library than this one.
  Reflect.set(globalThis, Symbol.for("brokkr.run"), true);
  try {
    await import(program);
  } catch (error) {
    // An error of another copy's class is told by its name.
    if (error instanceof Error && UNREACHABLE.includes(error.name)) {
      throw new CliError(error.message, ExitCode.usage, { cause: error });
    }
    throw error;
  }
  return await new Promise<never>(() => {});
}
