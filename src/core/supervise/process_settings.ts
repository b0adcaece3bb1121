/**
 * What a module may say about its processes beyond their supervision: what becomes of those that it starts, and of what they print.
 *
 * @module
 */

import { show } from "../show.ts";

/** What becomes of the processes that a module started, when the module's own process ends. */
export type Descendants = "kill" | "keep";

/** Settings of a module's processes. */
export interface ProcessSettings {
  /** Whether the processes that the module started go with it; `keep` is for those that outlive it on purpose. @default "kill" */
  readonly descendants?: Descendants;
}

/** @throws {TypeError} that names the setting, what it is and what it should be. */
export function checkProcessSettings(at: string, { descendants }: Readonly<Record<string, unknown>>): void {
  if (descendants !== undefined && descendants !== "kill" && descendants !== "keep") {
    throw new TypeError(`${at}: descendants must be "kill" or "keep", and it is ${show(descendants)}`);
  }
}
