/**
 * The files of modules that the broker itself never loads: whether each is the module that the configuration says.
 *
 * @module
 */

import process from "node:process";
import { formatTimeout } from "../core/log/duration.ts";
import { within } from "../core/supervise/deadline.ts";
import { supervisionPlan } from "../core/supervise/settings.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Config, ConfigModule } from "./config/config.ts";
import { ConfigError, type Problem } from "./config/config_error.ts";
import { divertOutput } from "./divert_output.ts";
import { loadModule } from "./load_module.ts";
import { fileProblem, givenOf } from "./plan.ts";
import { heldAgainst } from "./serve_module_files.ts";

/** Loads each file as its process would, one after the other. @throws {ConfigError} with what is wrong, each at its place. */
export async function checkFiles({ modules }: Config, runtime: Runtime): Promise<void> {
  const output = divertOutput();
  const allow = runtime.refuseExit((code) => new Error(`it calls exit(${String(code)}) when it is loaded`));
  const folder = process.cwd();
  const problems: Problem[] = [];
  try {
    for (const module of modules) {
      // Code that is held to fewer rights must not have more of them here.
      if (!("url" in module) || module.settings.permissions !== undefined) continue;
      try {
        process.chdir(module.settings.cwd ?? folder);
        heldAgainst(await loadedInTime(module, runtime), givenOf(module));
      } catch (error) {
        problems.push(fileProblem(module, error));
      }
    }
  } finally {
    process.chdir(folder);
    allow();
    output.restore();
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

async function loadedInTime({ name, url, settings }: ConfigModule, { clock }: Runtime) {
  const { startTimeoutMs } = supervisionPlan(settings);
  const tooLate = `it was not loaded after ${formatTimeout(startTimeoutMs)} (startTimeoutMs)`;
  return await within(clock, startTimeoutMs, loadModule(name, url), tooLate);
}
