/**
 * From the options of a broker to what a new process of a module is told.
 *
 * @module
 */

import { CLEANUP_DEADLINE_MS } from "../child/cleanup.ts";
import { DEFAULT_FRAME_LIMIT } from "../wire/frame.ts";
import type { Setup } from "../wire/messages.ts";
import type { BrokerPlan } from "./options.ts";
import { type ModuleSettings, outputLimits, supervisionPlan } from "../module/settings.ts";

export function setupOf(plan: BrokerPlan, settings: ModuleSettings, wanted: readonly string[]): Setup {
  return {
    wanted,
    frameLimit: DEFAULT_FRAME_LIMIT,
    cleanupMs: CLEANUP_DEADLINE_MS,
    timeoutMs: plan.timeoutMs,
    retry: plan.retry,
    options: settings.options ?? null,
    supervision: supervisionPlan(settings),
    concurrency: settings.concurrency ?? null,
    queue: settings.queue ?? null,
    output: outputLimits(settings.output),
    names: [plan.name, ...plan.modules.map(({ module }) => module.name)],
  };
}
