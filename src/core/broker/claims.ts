/**
 * Environment variables that modules claim for their own processes.
 *
 * @module
 */

import type { ModulePlan } from "./options.ts";

/** What other modules claim and `name` does not: never handed to a process that loads only the file of `name`. */
export function claimedByOthers(name: string, plans: readonly ModulePlan[]): string[] {
  const own = plans.find((plan) => plan.module.name === name)?.settings.env ?? [];
  return plans
    .filter((plan) => plan.module.name !== name)
    .flatMap((plan) => [...plan.settings.env ?? []])
    .filter((variable) => !own.includes(variable));
}
