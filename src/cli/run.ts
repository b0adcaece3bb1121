/** `brokkr run`: runs the broker of a configuration, or a program. */

import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";
import { asUsage, CliError, ExitCode } from "./exit_codes.ts";
import { nearestConfig } from "./config/config_file.ts";
import { isFolder } from "./files.ts";
import { requireCode } from "./config/module_path.ts";
import type { ArgsOf } from "./commands.ts";
import type { Context } from "./connect.ts";
import { offerLibrary, PROGRAM_VARIABLE } from "./own_program.ts";
import type { PageArgs } from "./page/page.ts";

const CONFIG = /\.jsonc?$/;
const PROGRAM = /\.[cm]?[jt]s$/;

export async function run(
  runtime: Runtime,
  { file, name, watch, page, pageTokenFile }: ArgsOf<"run">,
  { depth }: Context,
): Promise<number> {
  const path = file ?? nearestConfig("run");
  const shown = page === undefined ? null : { address: page, tokenFile: pageTokenFile };
  if (shown === null && pageTokenFile !== undefined) {
    throw new CliError("Cannot use --page-token-file without --page: there is no page to open");
  }
  await offerLibrary(runtime);
  if (CONFIG.test(path)) {
    const { runConfig } = await import("./run_config.ts");
    return await runConfig(runtime, path, { depth, page: shown, name, watch });
  }
  if (name !== undefined) {
    throw new CliError(`Cannot run "${path}" with --name: it is for a configuration, and a program names its broker`);
  }
  if (watch) {
    throw new CliError(
      `Cannot run "${path}" with --watch: it is for a configuration, and a program is watched by its runtime, as in ` +
        '"node --watch", "deno run --watch" or "bun --watch"',
    );
  }
  if (!PROGRAM.test(path)) {
    const what = isFolder(path) ? "a folder" : "neither";
    throw new CliError(
      `Cannot run "${path}": it must be a configuration (.json, .jsonc) or a program (.ts, .js), and it is ${what}`,
    );
  }
  requireCode(runtime, path, { action: "run", what: "a program (.ts, .js)" });
  return await runProgram(runtime, path, shown);
}

/** Names of the errors of a broker that can't be reached by its name. */
const UNREACHABLE = ["NameTakenError", "ClusterNameTakenError", "ControlSocketError"];

/** Never settles: the process ends when the program has nothing left to do or its broker has drained. */
async function runProgram(runtime: Runtime, path: string, page: PageArgs | null): Promise<number> {
  const program = pathToFileURL(resolve(path)).href;
  runtime.env.set(PROGRAM_VARIABLE, program);
  const run = { program, hasStarted: false };
  // The program may import another copy of the library.
  Reflect.set(globalThis, Symbol.for("brokkr.run"), run);
  process.on("unhandledRejection", (reason) => {
    // A program may handle its rejections itself.
    if (process.listenerCount("unhandledRejection") === 1) fail(runtime, reason);
  });
  if (page !== null) {
    const { openPage } = await import("./page/page.ts");
    await openPage(runtime, page, null);
  }
  try {
    const exports: unknown = await import(program);
    process.once("beforeExit", async () => {
      if (run.hasStarted) return;
      const { exportsModule } = await import("./module_files.ts");
      if (exportsModule(exports)) failAsModule(runtime, path);
    });
  } catch (error) {
    throw isUnreachable(error) ? asUsage(error) : error;
  }
  return await new Promise<never>(() => {});
}

/** A program may start its broker without awaiting it. */
function fail(runtime: Runtime, reason: unknown): void {
  if (isUnreachable(reason)) {
    runtime.writeError(`${reason.message}\n`);
    runtime.exit(ExitCode.usage);
  }
  runtime.writeError(`${reason instanceof Error ? reason.stack ?? reason.message : String(reason)}\n`);
  runtime.exit(ExitCode.failed);
}

/** It would do nothing, and say nothing. */
function failAsModule(runtime: Runtime, path: string): void {
  runtime.writeError(
    `Cannot run "${path}": it exports a module and starts no broker, name it in a configuration ("brokkr init" writes one), ` +
      `or serve it alone with "brokkr serve ${path}"\n`,
  );
  runtime.exit(ExitCode.usage);
}

/** The class may be another copy's, so the name decides. */
function isUnreachable(error: unknown): error is Error {
  return error instanceof Error && UNREACHABLE.includes(error.name);
}
