/**
 * What `broker.status()` and `brokkr status --json` show.
 *
 * @module
 */

import type { MemoryFigures } from "../runtime/runtime.ts";
import type { CallCounts, Latency } from "./call/counters.ts";
import type { CleanupReceipt } from "./cleanup/clean.ts";
import type { ProcessState } from "./supervise/states.ts";

/** What a cleanup cost and gained; `null` where the system can't tell. */
export interface CleanupStatus {
  readonly ms: number;
  /** Modules that were released. */
  readonly released: readonly string[];
  /** How many modules' cleanup failed. */
  readonly errors: number;
  readonly privateBytesBefore: number | null;
  readonly privateBytesAfter: number | null;
}

/** One process. */
export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  /** How often it was started again. */
  readonly restarts: number;
  /** Milliseconds since it became ready, 0 before. */
  readonly uptimeMs: number;
  readonly memory: MemoryFigures;
  readonly calls: CallCounts;
  /** Milliseconds. */
  readonly latencyMs: Latency;
  readonly cleanup: CleanupStatus | null;
}

export interface ModuleStatus extends ProcessStatus {
  readonly workers: readonly ProcessStatus[];
}

export interface BrokerStatus {
  readonly broker: {
    readonly name: string;
    readonly pid: number;
    readonly uptimeMs: number;
    /** Version of brokkr. */
    readonly version: string;
    /** Name and version, such as `node 20.20.2`. */
    readonly runtime: string;
  };
  readonly modules: readonly ModuleStatus[];
}

export function cleanupStatus(receipt: CleanupReceipt): CleanupStatus {
  const { ms, released, errors, before, after } = receipt;
  return { ms, released, errors, privateBytesBefore: before.privateBytes, privateBytesAfter: after.privateBytes };
}
