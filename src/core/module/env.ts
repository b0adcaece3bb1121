/**
 * The environment variables that a module's settings name.
 *
 * @module
 */

import { isRecord } from "../checks.ts";
import type { EnvSettings } from "./settings.ts";

/** Those whose value in the broker only the processes of the module keep. */
export function claimedEnv(env: EnvSettings | undefined): readonly string[] {
  if (!isRecord(env)) return [...env ?? []];
  return Object.keys(env).filter((name) => env[name] === true);
}

/** Those that another module's claim leaves to the processes of this one. */
export function ownEnv(env: EnvSettings | undefined): readonly string[] {
  return isRecord(env) ? Object.keys(env) : [...env ?? []];
}

/** Those that the settings give a value. */
export function givenEnv(env: EnvSettings | undefined): Readonly<Record<string, string>> {
  if (!isRecord(env)) return {};
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== true));
}
