import { CallCounters } from "../../../src/core/call/outcomes.ts";
import type { CallCounts, Latency } from "../../../src/core/wire/status.ts";
import type { BrokerStatus, ModuleStatus } from "../../../src/core/broker/status.ts";

const NO_CALLS = new CallCounters().counts();

export interface SampleModule {
  readonly name: string;
  readonly calls?: Partial<CallCounts>;
  readonly histogram?: Latency["histogram"];
  readonly privateBytes?: number | null;
  readonly workers?: readonly ModuleStatus[];
}

export function sampleModule(
  { name, calls = {}, histogram = [], privateBytes = 1_000, workers = [] }: SampleModule,
): ModuleStatus {
  return {
    name,
    state: "ready",
    pid: 7,
    restarts: 2,
    uptimeMs: 1_500,
    blocked: false,
    nextRestartMs: null,
    reason: null,
    memory: { rssBytes: 3_000, pssBytes: 2_000, privateBytes },
    calls: { ...NO_CALLS, ...calls },
    latencyMs: { p50: null, p99: null, sumMs: 250, histogram },
    cleanup: null,
    workers,
  };
}

export function sampleStatus(...modules: readonly SampleModule[]): BrokerStatus {
  return {
    broker: { name: "b", pid: 1, uptimeMs: 2_500, version: "1.2.3", runtime: "node 20", zombies: null },
    modules: modules.map(sampleModule),
    standby: [],
  };
}
