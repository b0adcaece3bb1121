/**
 * Running a program that starts a broker by itself.
 *
 * @module
 */

import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import type { PageAsked } from "./page/page.ts";
import { PROGRAM_VARIABLE } from "./program_variable.ts";

/** Names of the errors of a control socket that can't be opened. */
const UNREACHABLE = ["NameTakenError", "ControlSocketError"];

/** Never settles while the program runs: its process ends when the program has nothing left to do, or its broker has drained. */
export async function runProgram(runtime: Runtime, path: string, page: PageAsked | null): Promise<number> {
  const program = pathToFileURL(resolve(path)).href;
  runtime.env.set(PROGRAM_VARIABLE, program);
  // The program may import another copy of the library than this one.
  Reflect.set(globalThis, Symbol.for("brokkr.run"), program);
  process.on("unhandledRejection", (reason) => {
    // A program that looks after its rejections does so here too.
    if (process.listenerCount("unhandledRejection") === 1) fail(runtime, reason);
  });
  if (page !== null) {
    const { openPage } = await import("./page/page.ts");
    await openPage(runtime, page, null);
  }
  try {
    await import(program);
  } catch (error) {
    if (isUnreachable(error)) throw new CliError(error.message, ExitCode.usage, { cause: error });
    throw error;
  }
  return await new Promise<never>(() => {});
}

/** A program may start its broker without waiting for it. */
function fail(runtime: Runtime, reason: unknown): void {
  if (isUnreachable(reason)) {
    runtime.writeError(`${reason.message}\n`);
    runtime.exit(ExitCode.usage);
  }
  runtime.writeError(`${reason instanceof Error ? reason.stack ?? reason.message : String(reason)}\n`);
  runtime.exit(ExitCode.failed);
}

/** An error of another copy's class is told by its name. */
function isUnreachable(error: unknown): error is Error {
  return error instanceof Error && UNREACHABLE.includes(error.name);
}
