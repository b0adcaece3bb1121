/**
 * What a module may say of itself, key by key.
 *
 * @module
 */

import { keysOf } from "../unknown_key.ts";
import type { ModuleDefinition, ModuleSettings, WorkersDefinition } from "./module.ts";

/** Of the settings of a module, wherever they stand. */
export const MODULE_SETTINGS = keysOf<ModuleSettings>({
  restart: true,
  startTimeoutMs: true,
  drainMs: true,
  killMs: true,
  after: true,
  heartbeat: true,
  memory: true,
  concurrency: true,
  queue: true,
  descendants: true,
  output: true,
  permissions: true,
  options: true,
  cwd: true,
  env: true,
});

/** Of `defineModule`. */
export const DEFINITION_KEYS = [
  ...keysOf<Omit<ModuleDefinition, keyof ModuleSettings>>({
    name: true,
    commands: true,
    workers: true,
    owns: true,
    afterForkCleanup: true,
    start: true,
    stop: true,
  }),
  ...MODULE_SETTINGS,
];

/** Of `workers` in it. */
export const WORKERS_KEYS = keysOf<WorkersDefinition>({ count: true, commands: true, afterForkCleanup: true });
