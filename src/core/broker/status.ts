/** What `broker.status()` and `brokkr status --json` show. */

import type { Runtime } from "../../runtime/runtime.ts";
import type { StandbyStatus } from "../child/standby.ts";
import type { ClusterStatus } from "../cluster/cluster.ts";
import type { ProcessStatus } from "../wire/status.ts";
import { VERSION } from "../version.ts";

/** A module: its own process and its workers. */
export interface ModuleStatus extends ProcessStatus {
  /** Its workers by number; empty if it has none or its process does not run. */
  readonly workers: readonly ProcessStatus[];
}

/** What {@linkcode Broker.status} resolves with, and `brokkr status --json` prints. */
export interface BrokerStatus {
  /** The parent process. */
  readonly broker: {
    /** Name of the broker. */
    readonly name: string;
    /** Process id. */
    readonly pid: number;
    /** Milliseconds since `Broker.start`. */
    readonly uptimeMs: number;
    /** Version of brokkr. */
    readonly version: string;
    /** Name and version, such as `node 20.20.2`. */
    readonly runtime: string;
    /** Ended processes that nobody reaps, if the broker is process 1 of its container; null if the system does not say. */
    readonly zombies: number | null;
  };
  /** The modules, in the order of `Broker.start`. */
  readonly modules: readonly ModuleStatus[];
  /** Processes that wait for the next starts, with `standby`. */
  readonly standby: readonly StandbyStatus[];
  /** The cluster, if the broker has one. */
  readonly cluster?: ClusterStatus;
}

/** The broker's own part of its status. */
export function brokerFacts(name: string, runtime: Runtime, startedAt: number): BrokerStatus["broker"] {
  const { pid, clock } = runtime;
  const uptimeMs = Math.round(clock.now() - startedAt);
  return {
    name,
    pid,
    uptimeMs,
    version: VERSION,
    runtime: `${runtime.name} ${runtime.version}`,
    zombies: runtime.zombies(),
  };
}
