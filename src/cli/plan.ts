/** The plan of a broker, made from a configuration, and what is wrong with a module's file. */

import { type BrokerOptions, type BrokerPlan, checkOptions } from "../core/broker/options.ts";
import type { BrokerHost } from "../core/broker/child_spec.ts";
import type { GivenSettings } from "../core/child/role.ts";
import { defineModule } from "../core/module/module.ts";
import type { Module } from "../core/module/definition.ts";
import { programModule } from "../core/module/program.ts";
import { MODULE, withheldEnv } from "../core/settings/settings.ts";
import { messageOf } from "../core/user_code.ts";
import { asUsage } from "./exit_codes.ts";
import { ConfigError, type Problem, problemLine } from "./config/document.ts";
import { natsClient } from "./own_program.ts";
import type { Config, ConfigModule, ConfigProgram } from "./config/read_config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { checkSettings, loadModule, SettingError, withWorkers } from "./module_files.ts";
import { syntaxError } from "./syntax_error.ts";

export interface PreparedBroker {
  readonly plan: BrokerPlan;
  readonly host: Required<Pick<BrokerHost, "load" | "given" | "signature" | "folder">>;
}

/** @throws {CliError} if a module's file can't be loaded, or the modules contradict each other. */
export async function planOf(config: Config): Promise<PreparedBroker> {
  const { modules, broker } = config;
  try {
    const settings = Object.fromEntries(modules.map(({ name, settings }) => [name, settings]));
    const cluster = await clusterOf(config);
    const plan = checkOptions({ ...broker, modules: await loadAll(config), settings, ...cluster });
    return { plan, host: hostOf(config) };
  } catch (error) {
    throw asUsage(error);
  }
}

export async function clusterOf({ cluster }: Config): Promise<Pick<BrokerOptions, "cluster">> {
  if (cluster === undefined) return {};
  const { natsOf } = await import("../../nats.ts");
  return { cluster: natsOf(cluster, natsClient) };
}

/** Says what of the file is left out. */
export function warn(runtime: Pick<Runtime, "writeError">, { leftOut }: Config): void {
  for (const problem of leftOut) runtime.writeError(`${problemLine(problem)}\n`);
}

/** @throws {ConfigError} with every file that can't be loaded, and its position. */
async function loadAll({ modules, load }: Config): Promise<Module[]> {
  const loaded: Module[] = [];
  const problems: Problem[] = [];
  for (const module of modules) {
    try {
      loaded.push(await moduleOf(module, load));
    } catch (error) {
      problems.push(fileProblem(module, error));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return loaded;
}

/** What is wrong with a module's file, with its position there, or that in the configuration. */
export function fileProblem(module: ConfigModule | ConfigProgram, error: unknown): Problem {
  const { name, place } = module;
  const why = messageOf(error);
  const fault = "url" in module ? syntaxError(error, module.url) : null;
  if (fault !== null) return { ...fault, message: `Cannot load module "${name}": ${fault.message}` };
  if (error instanceof SettingError && "at" in module) return { ...module.at(error.path), message: why };
  return { ...place, message: /^Cannot (load|serve|start)/.test(why) ? why : `Cannot load module "${name}": ${why}` };
}

/** What the process of a module under load "own" holds the module's file against. */
export function givenOf({ workers, settings }: ConfigModule): GivenSettings {
  const sandboxed = settings.permissions === undefined ? {} : { sandboxed: true };
  return { workers, keys: Object.keys(settings), ...sandboxed };
}

/** Under load "own" the broker loads no module: it knows the name, and the rest once the process has reported it. */
async function moduleOf(module: ConfigModule | ConfigProgram, load: Config["load"]): Promise<Module> {
  if ("program" in module) return programModule(module.program);
  const { name, url, workers, settings } = module;
  if (load === "own") return defineModule({ name });
  const loaded = await loadModule(name, url);
  await checkSettings(loaded, settings);
  return workers === null ? loaded : withWorkers(loaded, workers);
}

function hostOf({ modules: all, load, folder }: Config): PreparedBroker["host"] {
  const modules = all.filter((module) => "url" in module);
  const env = all.map(({ name, settings }) => ({ name, env: settings.env }));
  const byName = new Map(modules.map((module) => [module.name, module]));
  return {
    folder,
    signature: (name) => JSON.stringify([load, withheldEnv(name, env).toSorted(), ...partsOf(name, all)]),
    load: (name) => {
      const own = byName.get(name)?.url;
      const loaded = modules.filter((module) => module.name === name || (load === "all" && module.url !== own));
      return loaded.map(({ name, url }) => [name, url]);
    },
    given: (name) => {
      const module = byName.get(name);
      const given = module === undefined ? { workers: null, keys: [] } : givenOf(module);
      // Under load "all" the broker knows the module's own settings.
      return load === "all" ? { ...given, keys: Object.keys(MODULE) } : given;
    },
  };
}

/** What a module's process depends on beside what others claim, which excludes its position in the file. */
function partsOf(name: string, all: Config["modules"]): unknown[] {
  const module = all.find((module) => module.name === name);
  if (module === undefined) return [];
  return "url" in module ? [module.url, module.workers, module.settings] : [module.program, module.settings];
}
