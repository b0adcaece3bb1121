/**
 * What a module's process may do, where its settings name it: everything else is denied.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { ModulePlan } from "../broker/options.ts";
import { show } from "../show.ts";
import { refuseUnknown } from "../unknown_key.ts";

/** A kind of right, as Deno has them. */
export type PermissionKind = "net" | "read" | "write" | "env" | "run" | "ffi" | "sys" | "import";

const PERMISSION_KINDS: readonly PermissionKind[] = [
  "net",
  "read",
  "write",
  "env",
  "run",
  "ffi",
  "sys",
  "import",
];

/**
 * What a module's process may do beside what brokkr needs of it: `true` is all of a kind, a list what it names in the words of Deno's
 * `--allow-…` flags, and what is left out is denied. Paths are relative to the working directory of the process.
 */
export type PermissionSettings = { readonly [K in PermissionKind]?: readonly string[] | boolean };

/** @throws {TypeError} that names the setting, what it is and what it should be. */
export function checkPermissions(at: string, permissions: unknown): void {
  if (permissions === undefined) return;
  if (typeof permissions !== "object" || permissions === null || Array.isArray(permissions)) {
    throw new TypeError(`${at}: permissions must be an object, and it is ${show(permissions)}`);
  }
  refuseUnknown(`${at}: permissions`, permissions, PERMISSION_KINDS);
  for (const [kind, value] of Object.entries(permissions)) {
    const wrong = whatIsWrong(value);
    if (wrong !== null) {
      throw new TypeError(
        `${at}: permissions.${kind} must be true, false or a list of texts without commas, and ${wrong}`,
      );
    }
  }
}

function whatIsWrong(value: unknown): string | null {
  if (value === undefined || typeof value === "boolean") return null;
  if (!Array.isArray(value)) return `it is ${show(value)}`;
  const stranger = value.findIndex((name) => !isPermissionName(name));
  return stranger === -1 ? null : `it has ${show(value[stranger])}`;
}

/** Whether a right of that name can be handed on: a comma would make two of it. */
export function isPermissionName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !/[,\0]/.test(value);
}

/** Refuses permissions that would not be kept. @throws {TypeError} */
export function checkSandbox(modules: readonly ModulePlan[], { cannotSandbox }: Runtime): void {
  for (const { module, settings } of modules) {
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
