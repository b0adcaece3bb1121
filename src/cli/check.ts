/**
 * `brokkr check`: a configuration as `brokkr run` would take it, without starting anything.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";
import { checkExecutables } from "./check_executables.ts";
import { checkFiles } from "./check_files.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import type { Config, ConfigModule, ConfigProgram } from "./config/config.ts";
import { ConfigError, type Problem } from "./config/config_error.ts";
import { nearestConfig } from "./config/nearest_config.ts";
import { readConfig } from "./config/read_config.ts";
import { offerLibrary } from "./own_library.ts";
import { print } from "./output.ts";
import { planOf } from "./plan.ts";

export const checkParser = command(
  "check",
  object({
    action: constant("check"),
    file: optional(argument(string({ metavar: "FILE" }), {
      description: message`A configuration; the nearest brokkr.json where it is left out.`,
    })),
    json: option("--json", { description: message`Print one JSON document.` }),
  }),
  {
    brief: message`Check a configuration without starting it`,
    footer: message`Example: brokkr check brokkr.json. Exit code 0 where all is well, 2 where something is wrong.`,
  },
);

export interface CheckAsked {
  readonly file: string | undefined;
  readonly json: boolean;
}

export async function check(runtime: Runtime, { file = nearestConfig("check"), json }: CheckAsked): Promise<number> {
  try {
    await offerLibrary(runtime);
    const config = await readConfig(file, runtime);
    // Under image "own" the broker loads no module, and each process its own.
    if (config.image === "own") await checkFiles(config, runtime);
    checkExecutables(config, runtime);
    await planOf(config);
    const found = config.modules.map(foundModule);
    if (json) await print(`${JSON.stringify({ ok: true, file, name: config.name, modules: found })}\n`);
    else await print(`${file}: ${describe(config, found)}\n`);
    return ExitCode.done;
  } catch (error) {
    const problems = problemsOf(error, file);
    if (!json || problems === null) throw asUsage(error);
    await print(`${JSON.stringify({ ok: false, problems })}\n`);
    return ExitCode.usage;
  }
}

interface FoundModule {
  readonly name: string;
  /** Null for a program of another language. */
  readonly path: string | null;
  readonly command?: readonly string[];
  /** Null where the module's file says it. */
  readonly workers: number | null;
}

function foundModule(module: ConfigModule | ConfigProgram): FoundModule {
  const { name } = module;
  if ("program" in module) return { name, path: null, command: module.program.command, workers: 0 };
  const { url, workers } = module;
  return { name, path: relative(process.cwd(), fileURLToPath(url)), workers };
}

function describe({ name }: Config, modules: readonly FoundModule[]): string {
  const count = modules.length === 1 ? "1 module" : `${modules.length} modules`;
  const listed = modules.map(({ name, path, command = [] }) => `${name} (${path ?? command.join(" ")})`).join(", ");
  return `broker "${name}" with ${count}${listed === "" ? "" : `: ${listed}`}`;
}

function problemsOf(error: unknown, file: string): readonly Problem[] | null {
  if (error instanceof ConfigError) return error.problems;
  return error instanceof CliError ? [{ file, line: null, column: null, message: error.message }] : null;
}

function asUsage(error: unknown): unknown {
  return error instanceof ConfigError ? new CliError(error.message, ExitCode.usage, { cause: error }) : error;
}
