/** `brokkr check`: checks a configuration without starting anything. */

import { accessSync, constants } from "node:fs";
import { relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { attempt } from "../core/checks.ts";
import { formatTimeout, within } from "../core/duration.ts";
import { givenEnv, supervisionPlan, withheldEnv } from "../core/settings/settings.ts";
import { interpreterOf, noInterpreter } from "../runtime/posix/child_process.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import { nearestConfig } from "./config/config_file.ts";
import { firstBytes, isFile, isFolder } from "./files.ts";
import { ConfigError, type Problem } from "./config/document.ts";
import { type Config, type ConfigModule, type ConfigProgram, readConfig } from "./config/read_config.ts";
import { checkSettings, heldAgainst, loadModule } from "./module_files.ts";
import type { ArgsOf } from "./commands.ts";
import { divertOutput, print } from "./output.ts";
import { offerLibrary } from "./own_program.ts";
import { fileProblem, givenOf, planOf, warn } from "./plan.ts";

export async function check(
  runtime: Runtime,
  { file = nearestConfig("check"), name, json }: ArgsOf<"check">,
): Promise<number> {
  try {
    await offerLibrary(runtime);
    const config = await readConfig(file, runtime, name);
    if (!json) warn(runtime, config);
    // Under load "own" the broker loads no module; each process loads its own.
    const problems = config.load === "own" ? await checkFiles(config, runtime) : [];
    problems.push(...checkExecutables(config, runtime));
    if (problems.length > 0) throw new ConfigError(problems);
    await planOf(config);
    const found = config.modules.map(foundModule);
    const left = config.leftOut.length === 0 ? {} : { leftOut: config.leftOut };
    if (json) await print(`${JSON.stringify({ ok: true, file, name: config.broker.name, modules: found, ...left })}\n`);
    else await print(`${file}: ${describe(config, found)}\n`);
    return ExitCode.done;
  } catch (error) {
    const problems = problemsOf(error, file);
    if (!json || problems === null) throw error;
    await print(`${JSON.stringify({ ok: false, problems })}\n`);
    return ExitCode.usage;
  }
}

interface FoundModule {
  readonly name: string;
  /** Null for a program in another language. */
  readonly path: string | null;
  readonly command?: readonly string[];
  /** Null if the module's file decides. */
  readonly workers: number | null;
}

function foundModule(module: ConfigModule | ConfigProgram): FoundModule {
  const { name } = module;
  if ("program" in module) return { name, path: null, command: module.written ?? module.program.command, workers: 0 };
  const { url, workers } = module;
  return { name, path: relative(process.cwd(), fileURLToPath(url)), workers };
}

function describe({ broker: { name } }: Config, modules: readonly FoundModule[]): string {
  const count = modules.length === 1 ? "1 module" : `${modules.length} modules`;
  const listed = modules.map(({ name, path, command = [] }) => `${name} (${path ?? command.join(" ")})`).join(", ");
  return `broker "${name}" with ${count}${listed === "" ? "" : `: ${listed}`}`;
}

function problemsOf(error: unknown, file: string): readonly Problem[] | null {
  if (error instanceof ConfigError) return error.problems;
  return error instanceof CliError ? [{ file, line: null, column: null, message: error.message }] : null;
}

/** Loads each file as its process would. */
async function checkFiles({ modules }: Config, runtime: Runtime): Promise<Problem[]> {
  const output = divertOutput();
  const allow = runtime.refuseExit((code) => new Error(`it calls exit(${String(code)}) when it is loaded`));
  const folder = process.cwd();
  const environments = modules.map(({ name, settings: { env } }) => ({ name, env }));
  const problems: Problem[] = [];
  try {
    for (const module of modules) {
      // Code with restricted permissions must not run here, where it would have all of them.
      if (!("url" in module) || module.settings.permissions !== undefined) continue;
      const { name, settings: { cwd = folder } } = module;
      if (!isFolder(cwd)) {
        const message = `modules.${name}.cwd is no folder ("${cwd}"), correct it or make it`;
        problems.push({ ...module.at(["cwd"]), message });
        continue;
      }
      const leave = enterEnv(runtime, withheldEnv(name, environments), givenEnv(module.settings.env));
      try {
        process.chdir(cwd);
        const loaded = heldAgainst(await loadedInTime(module, runtime), givenOf(module));
        await checkSettings(loaded, module.settings);
      } catch (error) {
        problems.push(fileProblem(module, error));
      } finally {
        leave();
      }
    }
  } finally {
    process.chdir(folder);
    allow();
    output.restore();
  }
  return problems;
}

/** Has the variables that a module's process has. Returns the function that brings back those that were there. */
function enterEnv(
  { env }: Pick<Runtime, "env">,
  withheld: readonly string[],
  given: Readonly<Record<string, string>>,
): () => void {
  const before = env.all();
  const set = (variables: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(variables)) env.set(name, value);
  };
  for (const name of withheld) env.remove(name);
  set(given);
  return () => {
    for (const name of Object.keys(env.all())) if (!Object.hasOwn(before, name)) env.remove(name);
    set(before);
  };
}

async function loadedInTime({ name, url, settings }: ConfigModule, { clock }: Runtime) {
  const { startTimeoutMs } = supervisionPlan(settings);
  const tooLate = `it was not loaded after ${formatTimeout(startTimeoutMs)} (startTimeoutMs)`;
  return await within(clock, startTimeoutMs, loadModule(name, url), tooLate);
}

/** Searched when PATH is not set. */
const DEFAULT_PATH = "/usr/bin:/bin";

/** Executables that can't be started. */
function checkExecutables({ modules }: Config, { env }: Pick<Runtime, "env">): Problem[] {
  const problems: Problem[] = [];
  for (const module of modules) {
    const { PATH: path = env.get("PATH") ?? DEFAULT_PATH } = givenEnv(module.settings.env);
    const wrong = "program" in module ? whatIsWrong(module, path.split(":")) : null;
    if (wrong !== null) problems.push({ ...module.place, message: `Cannot start module "${module.name}": ${wrong}` });
  }
  return problems;
}

/** A name is looked up on PATH, where an empty entry means the working directory. */
function whatIsWrong(
  { program: { command }, settings: { cwd } }: ConfigProgram,
  folders: readonly string[],
): string | null {
  const [executable = ""] = command;
  if (cwd !== undefined && !isFolder(cwd)) return `its cwd is no folder ("${cwd}"), correct it or make it`;
  if (executable.includes(" ") && !executable.includes("/")) {
    const words = executable.split(/ +/).map((word) => JSON.stringify(word)).join(", ");
    return `executable "${executable}" is in no folder of PATH, no shell splits it: write [${words}]`;
  }
  const isName = !executable.includes("/");
  const base = cwd ?? process.cwd();
  const paths = isName ? folders.map((folder) => resolve(base, folder, executable)) : [resolve(base, executable)];
  const files = paths.filter(isFile);
  const found = files.find(mayRun);
  if (found !== undefined) return whatIsWrongInside(found);
  if (files.length > 0) return `executable "${files[0]}" may not be run, check its mode`;
  const where = isName ? "is in no folder of PATH" : "does not exist";
  return `executable "${executable}" ${where}, install it or correct its path`;
}

/** A script starts where its interpreter is there. */
function whatIsWrongInside(path: string): string | null {
  const interpreter = attempt(() => interpreterOf(firstBytes(path))) ?? null;
  if (interpreter === null || isFile(interpreter)) return null;
  return `executable "${path}" is a script, and ${noInterpreter(interpreter)}`;
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
