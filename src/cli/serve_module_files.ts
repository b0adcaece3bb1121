/**
 * A process of a broker that a configuration describes: it loads the module files that its role names, and serves.
 *
 * @module
 */

import type { Module, ModuleSettings } from "../core/module/module.ts";
import { NOT_WITH_WORKERS } from "../core/module/permissions.ts";
import type { GivenSettings, Role } from "../core/supervise/role.ts";
import { serveProcess } from "../core/supervise/serve_process.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { loadModule, ModuleFileError, withWorkers } from "./load_module.ts";

/** Settings that the broker goes by, so that it must know them before the module's file is loaded. */
export const BROKER_SETTINGS = [
  "restart",
  "startTimeoutMs",
  "drainMs",
  "killMs",
  "after",
  "heartbeat",
  "memory",
  "concurrency",
  "queue",
  "cwd",
  "env",
  "options",
  "descendants",
  "output",
  "permissions",
] as const satisfies readonly (keyof ModuleSettings)[];

export async function serveModuleFiles(
  runtime: Runtime,
  role: Role,
  image: NonNullable<Role["image"]>,
): Promise<never> {
  const load = async () => {
    const modules: Module[] = [];
    for (const [name, url] of image) {
      const module = await loadModule(name, url);
      modules.push(name === role.module && role.given !== null ? heldAgainst(module, role.given) : module);
    }
    return modules;
  };
  return await serveProcess({ runtime, role, load, program: undefined, product: "Shinken", aligned: false });
}

/** @throws {ModuleFileError} where the file has a setting that would be without effect. */
export function heldAgainst(module: Module, { keys, workers, confined = false }: GivenSettings): Module {
  for (const key of BROKER_SETTINGS) {
    if (module.definition[key] === undefined || keys.includes(key)) continue;
    throw new ModuleFileError(
      `Cannot serve module "${module.name}": its file sets "${key}", which the broker does not read under image "own", ` +
        `move it to the configuration as modules.${module.name}.${key} or set "image" to "all"`,
    );
  }
  if (confined && (workers ?? module.definition.workers?.count ?? 0) > 0) {
    throw new ModuleFileError(`Cannot serve module "${module.name}": its permissions ${NOT_WITH_WORKERS}`);
  }
  return workers === null ? module : withWorkers(module, workers);
}
