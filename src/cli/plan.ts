/** The plan of a broker, made from a configuration, and what is wrong with a module's file: each runtime tells in its own way where. */

import { type BrokerOptions, type BrokerPlan, checkOptions } from "../core/broker/options.ts";
import type { BrokerHost } from "../core/broker/child_spec.ts";
import type { GivenSettings } from "../core/child/role.ts";
import { defineModule } from "../core/module/module.ts";
import type { Module } from "../core/module/definition.ts";
import { programModule } from "../core/module/program.ts";
import { MODULE, withheldEnv } from "../core/settings/settings.ts";
import { messageOf, stackOf } from "../core/user_code.ts";
import { asUsage } from "./exit_codes.ts";
import { ConfigError, type Problem, problemLine } from "./config/document.ts";
import { natsClient } from "./own_program.ts";
import type { Config, ConfigModule, ConfigProgram } from "./config/read_config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { checkSettings, loadModule, SettingError, withWorkers } from "./module_files.ts";
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isRecord } from "../core/checks.ts";
import { importedFiles } from "./watch_files.ts";

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

/** The fault and its place, or null where `error` is of another kind. @param url of the module's file, which may import the faulty one. */
function syntaxError(error: unknown, url: string): Problem | null {
  return ofBun(error) ?? ofDeno(messageOf(error)) ?? ofNode(error, url);
}

/** A message of Bun's bundler. */
function ofBun(error: unknown): Problem | null {
  if (!isRecord(error) || !isRecord(error["position"])) return null;
  const { file, line, column } = error["position"];
  if (typeof file !== "string" || typeof line !== "number" || typeof column !== "number") return null;
  return problem(file, { line, column, message: messageOf(error) });
}

/** Deno: the place ends the message; a picture of the line may be in between. */
function ofDeno(text: string): Problem | null {
  const [, message = "", url, line, column] =
    /^(?:SyntaxError: )?((?:The requested module )?[^\n]*?)(?:\n.*)?\s+at (file:\/\/\S+):(\d+):(\d+)$/s.exec(text) ??
      [];
  if (url === undefined || message.startsWith("Module not found")) return null;
  return problem(fileURLToPath(url), { line: Number(line), column: Number(column), message });
}

/** Node: before the stack of a link error, else only what `node --check` prints has it. */
function ofNode(error: unknown, url: string): Problem | null {
  if (!(error instanceof SyntaxError)) return null;
  const linked = printed(stackOf(error), error.message);
  if (linked !== null) return linked;
  if (process.versions["bun"] !== undefined || process.versions["deno"] !== undefined) return null;
  for (const file of importedFiles(fileURLToPath(url))) {
    const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
    const [, message = ""] = /^SyntaxError: (.*)$/m.exec(stderr) ?? [];
    const found = message === "" ? null : printed(stderr, message);
    if (found !== null) return found;
  }
  return null;
}

/** `FILE:LINE`, the line, and carets below its fault. */
function printed(text: string, message: string): Problem | null {
  const [, place = "", line, below = ""] = /^(\S.*):(\d+)\n(?:.*\n( *\^+)?)?/.exec(text) ?? [];
  if (line === undefined) return null;
  const file = place.startsWith("file:") ? fileURLToPath(place) : place;
  return problem(file, { line: Number(line), column: below.indexOf("^") + 1 || 1, message });
}

function problem(file: string, rest: Omit<Problem, "file">): Problem {
  return { file: relative(process.cwd(), file), ...rest };
}
