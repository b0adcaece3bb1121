/**
 * The files of modules: loading one, checking it against the configuration, and serving what a process' role names.
 *
 * A file exports what `defineModule` returned, a plain object of the same shape, or a function that gets the library and returns
 * either of them.
 */

import type { GivenSettings, Role } from "../core/child/role.ts";
import { serveProcess } from "../core/child/serve.ts";
import { settingsOf, strangeCall } from "../core/module/module.ts";
import type { Module } from "../core/module/definition.ts";
import { anyModule, NOT_WITH_WORKERS } from "../core/broker/options.ts";
import type { ModuleSettings } from "../core/settings/settings.ts";
import { messageOf } from "../core/user_code.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** A module's file does not match its configuration, and will not until one of them changes. */
class ModuleFileError extends Error {
  override readonly name = "ModuleFileError";
  /** Another start would fail the same way. */
  readonly lasting = true;
}

/** A setting of the configuration that does not go with the module's file. */
export class SettingError extends Error {
  override readonly name = "SettingError";
  /** Below the module's name. */
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.path = path;
  }
}

/** @throws {SettingError} where a setting does not go with what the module's file says. */
export async function checkSettings({ name, definition }: Module, { calls, options }: ModuleSettings): Promise<void> {
  const stranger = strangeCall(definition, calls);
  if (stranger !== null) {
    throw new SettingError(["calls", stranger.command], `modules.${name}.calls: ${stranger.text}`);
  }
  const { optionsSchema } = definition;
  if (optionsSchema === undefined) return;
  const { checkedOptions } = await import("../core/module/schema.ts");
  try {
    await checkedOptions(optionsSchema, options ?? definition.options);
  } catch (error) {
    const at = error instanceof Error && "at" in error && Array.isArray(error.at) ? error.at : [];
    const path = at.map((key) => typeof key === "number" ? key : String(key));
    throw new SettingError(["options", ...path], `modules.${name}.${messageOf(error)}`);
  }
}

/** Loads the file at `url` as module `name`, whatever it is named there. @throws {ModuleFileError} if the file is wrong. */
export async function loadModule(name: string, url: string): Promise<Module> {
  const module = await loadAnyModule(url, { what: `module "${name}"`, name });
  if (module.name === name) return module;
  return Object.freeze({ ...module, name, definition: { ...module.definition, name } });
}

/** Loads the module of the file at `url`, whose name may be given. @throws {ModuleFileError} if the file is wrong. */
export async function loadAnyModule(
  url: string,
  { what = "a module", name }: { readonly what?: string; readonly name?: string } = {},
): Promise<Module> {
  const exports: unknown = await import(url);
  const exported = exportedModule(exports);
  if (exported === undefined) {
    throw new ModuleFileError(`Cannot load ${what}: "${pathOf(url)}" exports none, export default defineModule({ … })`);
  }
  const made: unknown = typeof exported === "function" ? await exported(await import("../../mod.ts")) : exported;
  try {
    return anyModule(name === undefined || !isNameless(made) ? made : { ...made, name });
  } catch (error) {
    const why = messageOf(error);
    throw new ModuleFileError(`Cannot load ${what} from "${pathOf(url)}": ${why}`, { cause: error });
  }
}

/** The module with `count` workers. @throws {ModuleFileError} if it defines none. */
export function withWorkers(module: Module, count: number): Module {
  const { definition, name } = module;
  if (definition.workers === undefined) {
    if (count === 0) return module;
    throw new ModuleFileError(`Cannot start ${count} workers of module "${name}": its file defines no "workers"`);
  }
  return Object.freeze({ ...module, definition: { ...definition, workers: { ...definition.workers, count } } });
}

function isNameless(made: unknown): made is object {
  return isObject(made) && !("name" in made) && !("definition" in made);
}

function pathOf(url: string): string {
  return url.startsWith("file://") ? decodeURIComponent(new URL(url).pathname) : url;
}

type LibraryFunction = (library: typeof import("../../mod.ts")) => unknown;

/** The default export, else the only export that looks like a module. */
function exportedModule(exports: unknown): object | LibraryFunction | undefined {
  const all = new Map<string, unknown>(typeof exports === "object" && exports !== null ? Object.entries(exports) : []);
  const byDefault = all.get("default");
  if (isLibraryFunction(byDefault) || isObject(byDefault)) return byDefault;
  const modules = [...all.values()].filter(isObject).filter((value) => "name" in value && "definition" in value);
  return modules.length === 1 ? modules[0] : undefined;
}

/** Whether a file with these exports is a module's: it exports modules, or by default a definition. */
export function exportsModule(exports: unknown): boolean {
  const exported = exportedModule(exports);
  return isObject(exported) && ("definition" in exported || "commands" in exported || "workers" in exported);
}

function isLibraryFunction(value: unknown): value is LibraryFunction {
  return typeof value === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export async function serveModuleFiles(runtime: Runtime, role: Role): Promise<never> {
  const load = async (role: Role) => {
    const modules: Module[] = [];
    for (const [name, url] of role.load ?? []) {
      const module = await loadModule(name, url).catch(async (error: unknown) => {
        const { withPlace } = await import("./syntax_error.ts");
        throw withPlace(error, url);
      });
      modules.push(name === role.module && role.given !== null ? heldAgainst(module, role.given) : module);
    }
    return modules;
  };
  return await serveProcess({ runtime, role, load, program: undefined, product: "Shinken", aligned: false });
}

/** @throws {ModuleFileError} if the file has a setting that would have no effect. */
export function heldAgainst(module: Module, { keys, workers, sandboxed = false }: GivenSettings): Module {
  // The broker goes by all of them, before the file is loaded.
  for (const [key, setting] of Object.entries(settingsOf({ ...module.definition }))) {
    if (setting === undefined || keys.includes(key)) continue;
    throw new ModuleFileError(
      `Cannot serve module "${module.name}": its file sets "${key}", which the broker does not read under load "own", ` +
        `move it to the configuration as modules.${module.name}.${key} or set "load" to "all"`,
    );
  }
  if (sandboxed && (workers ?? module.definition.workers?.count ?? 0) > 0) {
    throw new ModuleFileError(`Cannot serve module "${module.name}": its permissions ${NOT_WITH_WORKERS}`);
  }
  return workers === null ? module : withWorkers(module, workers);
}
