import { resolve } from "node:path";
import type { PermissionSettings } from "../../core/module/permissions.ts";

const PATH_RIGHTS: ReadonlySet<string> = new Set(["read", "write", "ffi"]);

/** Settings whose paths are absolute, as a process may have another working directory than the configuration's folder. */
export function inFolder<S extends { readonly cwd?: string; readonly permissions?: PermissionSettings }>(
  folder: string,
  { cwd, permissions, ...settings }: S,
) {
  return {
    ...settings,
    ...(permissions === undefined ? {} : { permissions: rightsIn(folder, permissions) }),
    ...(cwd === undefined ? {} : { cwd: resolve(folder, cwd) }),
  };
}

function rightsIn(folder: string, permissions: PermissionSettings): PermissionSettings {
  const absolute = Object.entries(permissions).map(([kind, value]) => {
    const isPaths = PATH_RIGHTS.has(kind) && typeof value === "object";
    return [kind, isPaths ? value.map((path) => resolve(folder, path)) : value];
  });
  return Object.fromEntries(absolute);
}
