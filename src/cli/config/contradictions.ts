/**
 * Keys of a module that are right by themselves and wrong together.
 *
 * @module
 */

import type { InferOutput } from "valibot";
import { NOT_WITH_WORKERS } from "../../core/module/permissions.ts";
import { supervisionPlan, type SupervisionSettings } from "../../core/module/settings.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { moduleSchema } from "./schema.ts";

export interface Contradiction {
  /** The key, below the module's. */
  readonly key: readonly string[];
  /** What follows its name in the message. */
  readonly text: string;
}

type Key = keyof SupervisionSettings | "permissions" | "workers";
type Given = Pick<InferOutput<typeof moduleSchema>, Key>;

export function contradictions(module: Given, { cannotSandbox }: Pick<Runtime, "cannotSandbox">): Contradiction[] {
  const plan = supervisionPlan(module);
  const { heartbeat = {}, memory = {} } = module;
  const restart = typeof module.restart === "object" ? module.restart : {};
  // An interval that is left out is never longer than half of the time.
  const beats = heartbeat.intervalMs === undefined ? {} : plan.heartbeat;
  return [
    ...unkept(module, cannotSandbox),
    ...crossed("restart", { given: restart, plan: plan.restart, lower: "delayMs", upper: "maxDelayMs" }),
    ...crossed("heartbeat", { given: heartbeat, plan: beats, lower: "intervalMs", upper: "timeoutMs" }),
    ...crossed("memory", { given: memory, plan: plan.memory, lower: "warnBytes", upper: "recycleBytes" }),
  ];
}

function unkept({ permissions, workers = 0 }: Given, cannotSandbox: string | null): Contradiction[] {
  if (permissions === undefined) return [];
  const why = cannotSandbox === null ? workers > 0 ? NOT_WITH_WORKERS : null : `cannot be kept, as ${cannotSandbox}`;
  return why === null ? [] : [{ key: ["permissions"], text: why }];
}

/** `lower` must not be above `upper`; the message stands at the one that is written. */
function crossed(
  group: string,
  { given, plan, lower, upper }: { given: object; plan: object; lower: string; upper: string },
): Contradiction[] {
  const values = new Map<string, unknown>(Object.entries(plan));
  const [low, high] = [values.get(lower), values.get(upper)];
  if (typeof low !== "number" || typeof high !== "number" || low <= high) return [];
  const isWritten = (key: string) => Object.hasOwn(given, key);
  const shown = (key: string, value: number) => `${key} (${value}${isWritten(key) ? "" : " by default"})`;
  if (isWritten(lower)) {
    return [{ key: [group, lower], text: `must be at most ${shown(upper, high)}, and it is ${low}` }];
  }
  return [{ key: [group, upper], text: `must be at least ${shown(lower, low)}, and it is ${high}` }];
}
