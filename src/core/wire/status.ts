/**
 * What a process reports of itself: its cleanup, its state, its calls. It crosses as it is, so that each type has its check beside it.
 */

import type { MemoryUsage } from "../../runtime/runtime.ts";
import { type FieldChecks, isBoolean, isNumber, isText, listOf, objectOf, oneOf, orNull } from "../checks.ts";

/** State of a process. */
export type ProcessState = "starting" | "cleaning" | "ready" | "draining" | "stopped" | "backoff" | "failed";

/** How a call ends. `retried`: answered after the retry. */
export type Outcome = "ok" | "retried" | "timeout" | "cancelled" | "error";

/** An answer that belongs to no waiting call. */
export type StrayAnswer = "late" | "duplicate" | "unknown";

/** How many calls of a callee ended in each outcome, and how many answers no call waited for. */
export type CallCounts = Record<Outcome | StrayAnswer, number>;

/** How long the answered calls of a callee took; percentiles are accurate to 4 %. */
export interface Latency {
  /** Half of the calls took at most this many milliseconds; null before the first answered call. */
  readonly p50: number | null;
  /** 99 of 100 calls took at most this many milliseconds; null before the first answered call. */
  readonly p99: number | null;
  /** Milliseconds of all answered calls together. */
  readonly sumMs: number;
  /** How many calls took at most `upToMs` milliseconds but more than half of that, in ascending order, without empty buckets. */
  readonly histogram: readonly { readonly upToMs: number; readonly count: number }[];
}

/** The cleanup of one module's data. */
export interface ModuleCleanup {
  /** Name of the module. */
  readonly name: string;
  /** Milliseconds that it took. */
  readonly ms: number;
  /** The messages of its errors, joined by `; `, or null. */
  readonly error: string | null;
}

/** A kind of handle that a process has open, besides brokkr's own: timers, sockets, files. */
export interface OpenHandle {
  /** Such as `timer`, `TCP server` or `file /var/log/sla.log`. */
  readonly kind: string;
  /** How many are open. */
  readonly count: number;
}

/** What a process uses; a value is `null` if the system does not provide it. */
export interface ResourceUsage {
  /** Bytes of the proportional set size: each shared page counts in part. */
  readonly pssBytes: number | null;
  /** Bytes of memory that ending the process would free. */
  readonly privateBytes: number | null;
  /** Bytes of live JavaScript objects. */
  readonly heapBytes: number | null;
  /** How many files, sockets and pipes are open. */
  readonly openFiles: number | null;
}

/** What a cleanup released, and what the process used before and after it. */
export interface CleanupReceipt {
  /** Milliseconds that the cleanup took. */
  readonly ms: number;
  /** Names of the modules whose cleanup succeeded. */
  readonly released: readonly string[];
  /** How many modules' cleanup failed. */
  readonly errors: number;
  /** Each module that had something to clean, in the order of the cleanup. */
  readonly modules: readonly ModuleCleanup[];
  /** Handles that are still open; null if there was nothing to clean and DEBUG is off, or if the runtime can't list them. */
  readonly leftovers: readonly OpenHandle[] | null;
  /** What the process used before the cleanup. */
  readonly before: ResourceUsage;
  /** What it uses after the cleanup. */
  readonly after: ResourceUsage;
}

/** The cleanup of a process: what it took and what it gave back. */
export interface CleanupStatus {
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Names of the modules whose cleanup succeeded. */
  readonly released: readonly string[];
  /** How many modules' cleanup failed. */
  readonly errors: number;
  /** Each module that had something to clean, in the order of the cleanup. */
  readonly modules: readonly ModuleCleanup[];
  /** Bytes of private memory before the cleanup; null if the system does not provide it. */
  readonly privateBytesBefore: number | null;
  /** The same after the cleanup and a garbage collection. */
  readonly privateBytesAfter: number | null;
  /** Bytes of the proportional set size before: each shared page counts in part. */
  readonly pssBytesBefore: number | null;
  /** The same after. */
  readonly pssBytesAfter: number | null;
  /** Bytes of live JavaScript objects before. */
  readonly heapBytesBefore: number | null;
  /** The same after. */
  readonly heapBytesAfter: number | null;
  /** How many files, sockets and pipes were open before. */
  readonly openFilesBefore: number | null;
  /** The same after. */
  readonly openFilesAfter: number | null;
  /** Handles that are still open; null if there was nothing to clean and DEBUG is off, or if the runtime can't list them. */
  readonly leftovers: readonly OpenHandle[] | null;
}

/** One process: a module's own, or a worker. */
export interface ProcessStatus {
  /** The module's name, or `M-1` for its first worker. */
  readonly name: string;
  /** Its state; only a `ready` process runs commands. */
  readonly state: ProcessState;
  /** Process id, or null if no process runs. */
  readonly pid: number | null;
  /** How many times it was restarted. */
  readonly restarts: number;
  /** Milliseconds since it became ready, 0 before. */
  readonly uptimeMs: number;
  /** Whether it has sent no heartbeat for `heartbeat.timeoutMs`. */
  readonly blocked: boolean;
  /** Milliseconds until its next restart, or null if it is not in `backoff`. */
  readonly nextRestartMs: number | null;
  /** Why it is in `backoff` or `failed`, such as `process exited with code 3`; null in any other state. */
  readonly reason: string | null;
  /** Its memory now; null with `inProcess`. */
  readonly memory: MemoryUsage | null;
  /** Calls from its parent process, by outcome; restarts do not reset them. */
  readonly calls: CallCounts;
  /** How long the answered calls took, from `call()` to the answer. */
  readonly latencyMs: Latency;
  /** The cleanup of its last start, or null before that. */
  readonly cleanup: CleanupStatus | null;
}

const isFigure = orNull(isNumber);
const isUsage = objectOf<ResourceUsage>({
  pssBytes: isFigure,
  privateBytes: isFigure,
  heapBytes: isFigure,
  openFiles: isFigure,
});

export const RECEIPT_CHECKS: FieldChecks<CleanupReceipt> = {
  ms: isNumber,
  released: listOf(isText),
  errors: isNumber,
  modules: listOf(objectOf<ModuleCleanup>({ name: isText, ms: isNumber, error: orNull(isText) })),
  leftovers: orNull(listOf(objectOf<OpenHandle>({ kind: isText, count: isNumber }))),
  before: isUsage,
  after: isUsage,
};

export const PROCESS_STATES = ["starting", "cleaning", "ready", "draining", "stopped", "backoff", "failed"] as const;

export const isProcessState = oneOf(...PROCESS_STATES);

export const isProcessStatus = objectOf<ProcessStatus>({
  name: isText,
  state: isProcessState,
  pid: isFigure,
  restarts: isNumber,
  uptimeMs: isNumber,
  blocked: isBoolean,
  nextRestartMs: isFigure,
  reason: orNull(isText),
  memory: orNull(objectOf<MemoryUsage>({ rssBytes: isFigure, pssBytes: isFigure, privateBytes: isFigure })),
  calls: objectOf<CallCounts>({
    ok: isNumber,
    retried: isNumber,
    timeout: isNumber,
    cancelled: isNumber,
    error: isNumber,
    late: isNumber,
    duplicate: isNumber,
    unknown: isNumber,
  }),
  latencyMs: objectOf<Latency>({
    p50: isFigure,
    p99: isFigure,
    sumMs: isNumber,
    histogram: listOf(objectOf<Latency["histogram"][number]>({ upToMs: isNumber, count: isNumber })),
  }),
  cleanup: orNull(objectOf<CleanupStatus>({
    ms: isNumber,
    released: listOf(isText),
    errors: isNumber,
    modules: RECEIPT_CHECKS.modules,
    privateBytesBefore: isFigure,
    privateBytesAfter: isFigure,
    pssBytesBefore: isFigure,
    pssBytesAfter: isFigure,
    heapBytesBefore: isFigure,
    heapBytesAfter: isFigure,
    openFilesBefore: isFigure,
    openFilesAfter: isFigure,
    leftovers: RECEIPT_CHECKS.leftovers,
  })),
});
