/** Whether the permissions of modules can be kept. */

import type { Runtime } from "../../runtime/runtime.ts";
import type { CheckedModule } from "./definition.ts";
import type { ModuleSettings } from "../settings/settings.ts";

interface Confined {
  readonly module: CheckedModule;
  readonly settings: Pick<ModuleSettings, "permissions" | "runtimeArgs">;
}

/** Refuses permissions and flags that would have no effect. @throws {TypeError} */
export function checkSandbox(modules: readonly Confined[], { cannotSandbox, cannotTakeFlags }: Runtime): void {
  for (const { module, settings } of modules) {
    if (settings.runtimeArgs !== undefined) {
      const at = `Module "${module.name}": runtimeArgs`;
      if (module.program !== undefined) throw new TypeError(`${at} ${NOT_OF_PROGRAMS}`);
      if (cannotTakeFlags !== null) throw new TypeError(`${at} cannot be given, as ${cannotTakeFlags}`);
    }
    if (settings.permissions === undefined) continue;
    const at = `Module "${module.name}": permissions`;
    if (module.program !== undefined) throw new TypeError(`${at} ${NOT_OF_PROGRAMS}`);
    if (cannotSandbox !== null) throw new TypeError(`${at} cannot be kept, as ${cannotSandbox}`);
    if ((module.definition.workers?.count ?? 0) > 0) throw new TypeError(`${at} ${NOT_WITH_WORKERS}`);
  }
}

const NOT_OF_PROGRAMS = "do not reach a program of another language, remove them";

/** The end of a sentence that begins with the setting's name. */
export const NOT_WITH_WORKERS =
  "do not go with workers, as its process starts theirs and who may run Deno has every right: " +
  "remove one of both, or move what must be sandboxed to a module without workers";
