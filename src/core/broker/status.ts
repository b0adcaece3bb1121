/**
 * What `broker.status()` and `brokkr status --json` show.
 *
 * @module
 */

import type { MemoryUsage, Runtime } from "../../runtime/runtime.ts";
import type { CallCounts, Latency } from "../call/outcomes.ts";
import type { CleanupReceipt } from "../child/cleanup.ts";
import type { Leftover, ModuleCleanup } from "../log/record.ts";
import type { ProcessState } from "../child/states.ts";
import { VERSION } from "../version.ts";

/** What the cleanup of a process cost and gained. */
export interface CleanupStatus {
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Names of the modules whose cleanup went through. */
  readonly released: readonly string[];
  /** How many modules' cleanup failed. */
  readonly errors: number;
  /** Milliseconds and error of each module that had something to clean, in the order they were cleaned. */
  readonly modules: readonly ModuleCleanup[];
  /** Bytes that only this process held before the cleanup; `null` where the system can't tell. */
  readonly privateBytesBefore: number | null;
  /** The same after the cleanup and a garbage collection. */
  readonly privateBytesAfter: number | null;
  /** Proportional set size before; shared pages count in parts. */
  readonly pssBytesBefore: number | null;
  /** Proportional set size after. */
  readonly pssBytesAfter: number | null;
  /** Bytes of JavaScript objects before. */
  readonly heapBytesBefore: number | null;
  /** Bytes of JavaScript objects after. */
  readonly heapBytesAfter: number | null;
  /** Open files, sockets and pipes before. */
  readonly openFilesBefore: number | null;
  /** Open files, sockets and pipes after. */
  readonly openFilesAfter: number | null;
  /** What else is open after it, by kind: timers, sockets, files; `null` where the runtime can't tell. */
  readonly leftovers: readonly Leftover[] | null;
}

/** One process: a module's own, or a worker. */
export interface ProcessStatus {
  /** The module's name, or `M-1` for its first worker. */
  readonly name: string;
  /** Where it is in its life; only one that is `ready` runs commands. */
  readonly state: ProcessState;
  /** The system's number of the process, or null where there is none now. */
  readonly pid: number | null;
  /** How often it was started again. */
  readonly restarts: number;
  /** Milliseconds since it became ready, 0 before. */
  readonly uptimeMs: number;
  /** Whether it gives no sign of life. */
  readonly blocked: boolean;
  /** Milliseconds until it is started again, or null where it is not in `backoff`. */
  readonly nextRestartMs: number | null;
  /** What it uses, read when the status was asked for. */
  readonly memory: MemoryUsage;
  /** Calls that its father has sent to it, by outcome; kept over restarts. */
  readonly calls: CallCounts;
  /** How long the answered calls took, from `call()` to the answer. */
  readonly latencyMs: Latency;
  /** Its cleanup after the last start, or null before it. */
  readonly cleanup: CleanupStatus | null;
}

/** A module: its own process and its workers. */
export interface ModuleStatus extends ProcessStatus {
  /** Its workers by number; empty where it has none or its process does not run. */
  readonly workers: readonly ProcessStatus[];
}

/** What {@linkcode Broker.status} resolves with, and `brokkr status --json` prints. */
export interface BrokerStatus {
  /** The father process. */
  readonly broker: {
    /** Name of the broker. */
    readonly name: string;
    /** The system's number of its process. */
    readonly pid: number;
    /** Milliseconds since `Broker.start`. */
    readonly uptimeMs: number;
    /** Version of brokkr. */
    readonly version: string;
    /** Name and version, such as `node 20.20.2`. */
    readonly runtime: string;
    /**
     * Ended processes that nobody collects, because this one is the first of its container; `null` where the system can't tell.
     */
    readonly zombies: number | null;
  };
  /** In the order in which they were given to `Broker.start`. */
  readonly modules: readonly ModuleStatus[];
}

export function cleanupStatus(receipt: CleanupReceipt): CleanupStatus {
  const { ms, released, errors, modules, leftovers, before, after } = receipt;
  return {
    ms,
    released,
    errors,
    modules,
    privateBytesBefore: before.privateBytes,
    privateBytesAfter: after.privateBytes,
    pssBytesBefore: before.pssBytes,
    pssBytesAfter: after.pssBytes,
    heapBytesBefore: before.heapBytes,
    heapBytesAfter: after.heapBytes,
    openFilesBefore: before.openFiles,
    openFilesAfter: after.openFiles,
    leftovers,
  };
}

/** What a broker says of itself. */
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
