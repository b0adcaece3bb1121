/**
 * What is shown of a process that is kept running.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { CallCounters } from "../call/outcomes.ts";
import { cleanupStatus } from "../broker/status.ts";
import type { ProcessState, ProcessStatus } from "../wire/status.ts";
import type { Life } from "./life.ts";

const NO_MEMORY = { rssBytes: null, pssBytes: null, privateBytes: null };
/** States in which there is no process. */
const AWAY: readonly ProcessState[] = ["stopped", "failed", "backoff"];

export interface StatusParts {
  readonly name: string;
  readonly state: ProcessState;
  /** The process that runs, or the last one that ran. */
  readonly last: Life | undefined;
  readonly restarts: number;
  readonly nextRestartMs: number | null;
  readonly counters: CallCounters;
}

export async function processStatus(parts: StatusParts, runtime: Pick<Runtime, "memory">): Promise<ProcessStatus> {
  const { name, state, last, restarts, nextRestartMs, counters } = parts;
  const life = AWAY.includes(state) ? undefined : last;
  const pid = life?.pid ?? null;
  const cleanup = last?.cleanup ?? null;
  return {
    name,
    state,
    pid,
    restarts,
    uptimeMs: state === "ready" ? Math.round(life?.uptimeMs ?? 0) : 0,
    blocked: life?.isBlocked ?? false,
    nextRestartMs,
    memory: pid === null ? NO_MEMORY : await runtime.memory(pid),
    calls: counters.counts(),
    latencyMs: counters.latency(),
    cleanup: cleanup === null ? null : cleanupStatus(cleanup),
  };
}
