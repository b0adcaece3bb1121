/**
 * What a module may say about its processes beyond their supervision: what becomes of those that it starts, and of what they print.
 *
 * @module
 */

import { checkPermissions, type PermissionSettings } from "./permissions.ts";
import { show } from "../show.ts";
import { refuseUnknown } from "../unknown_key.ts";

/** What becomes of the processes that a module started, when the module's own process ends. */
export type Descendants = "kill" | "keep";

/** How much of what a process prints is logged, for each of its two streams. */
export interface OutputSettings {
  /** Lines; what comes beyond them within a second is left out and counted. @default 500 */
  readonly maxLinesPerSecond?: number;
  /** Bytes of a line; a longer one is cut, and the cut is marked. @default 8192 */
  readonly maxLineBytes?: number;
}

/** Output settings with their defaults. */
export type OutputLimits = Required<OutputSettings>;

/** Settings of a module's processes. */
export interface ProcessSettings {
  /** Whether the processes that the module started go with it; `keep` is for those that outlive it on purpose. @default "kill" */
  readonly descendants?: Descendants;
  /** How much of what each of the module's processes prints is logged. */
  readonly output?: OutputSettings;
  /**
   * What the module's process may do: what is not named is denied. In Deno only, and not with workers: elsewhere the start is refused.
   * @default what the broker may do
   */
  readonly permissions?: PermissionSettings;
}

export function outputLimits({ maxLinesPerSecond = 500, maxLineBytes = 8_192 }: OutputSettings = {}): OutputLimits {
  return { maxLinesPerSecond, maxLineBytes };
}

/** @throws {TypeError} that names the setting, what it is and what it should be. */
export function checkProcessSettings(at: string, settings: Readonly<Record<string, unknown>>): void {
  const { descendants, output, permissions } = settings;
  checkPermissions(at, permissions);
  if (descendants !== undefined && descendants !== "kill" && descendants !== "keep") {
    throw new TypeError(`${at}: descendants must be "kill" or "keep", and it is ${show(descendants)}`);
  }
  if (output === undefined) return;
  if (typeof output !== "object" || output === null || Array.isArray(output)) {
    throw new TypeError(`${at}: output must be an object, and it is ${show(output)}`);
  }
  refuseUnknown(`${at}: output`, output, Object.keys(outputLimits()));
  for (const [key, value] of Object.entries(output)) {
    if (value === undefined || (typeof value === "number" && Number.isInteger(value) && value >= 1)) continue;
    throw new TypeError(`${at}: output.${key} must be a whole number of at least 1, and it is ${show(value)}`);
  }
}
