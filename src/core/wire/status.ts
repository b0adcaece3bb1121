/**
 * What a process reports of itself: its cleanup, its state, its calls. It crosses as it is, so that each type has its check beside it.
 */

import type { MemoryUsage } from "../../runtime/runtime.ts";
import { type FieldChecks, isBoolean, isNumber, isText, listOf, objectOf, oneOf, orNull } from "../checks.ts";

/** Where a process is in its life. */
export type ProcessState = "starting" | "cleaning" | "ready" | "draining" | "stopped" | "backoff" | "failed";

/** How a call ends. `retried`: answered after the retry. */
export type Outcome = "ok" | "retried" | "timeout" | "cancelled" | "error";

/** An answer that belongs to no waiting call. */
export type StrayAnswer = "late" | "duplicate" | "unknown";

/** How many calls of a callee ended in each outcome, and how many answers no call waited for. */
export type CallCounts = Record<Outcome | StrayAnswer, number>;

/** How long the answered calls of a callee took, each figure at most 4 % off. */
export interface Latency {
  /** Half of the calls took at most this many milliseconds; null before the first answered call. */
  readonly p50: number | null;
  /** 99 of 100 calls took at most this many milliseconds; null before the first answered call. */
  readonly p99: number | null;
  /** Milliseconds of all answered calls together. */
  readonly sumMs: number;
  /** How many took at most `upToMs` milliseconds and more than half of that, in rising order; what is empty is left out. */
  readonly histogram: readonly { readonly upToMs: number; readonly count: number }[];
}

/** What the cleanup of one module took. */
export interface ModuleCleanup {
  /** Name of the module. */
  readonly name: string;
  /** Milliseconds. */
  readonly ms: number;
  /** The messages of what failed, joined by `; `, or null. */
  readonly error: string | null;
}

/** Something that a process has open beside what brokkr needs: a timer, a socket, a file. */
export interface OpenHandle {
  /** Such as `timer`, `TCP server` or `file /var/log/sla.log`. */
  readonly kind: string;
  /** How many of it. */
  readonly count: number;
}

/** What a process uses; `null` where the system does not say. */
export interface ResourceUsage {
  /** Proportional set size: shared pages count in parts. */
  readonly pssBytes: number | null;
  /** Pages that only this process holds and has written to. */
  readonly privateBytes: number | null;
  /** Live objects of JavaScript. */
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
  /** Each module that had something to clean, in the order they were cleaned. */
  readonly modules: readonly ModuleCleanup[];
  /** What else is open in the process after it, or null where the runtime can't tell. */
  readonly leftovers: readonly OpenHandle[] | null;
  /** What the process used before the cleanup. */
  readonly before: ResourceUsage;
  /** What it uses after the cleanup. */
  readonly after: ResourceUsage;
}

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
  readonly leftovers: readonly OpenHandle[] | null;
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
  /** Whether its event loop does not respond. */
  readonly blocked: boolean;
  /** Milliseconds until it is started again, or null where it is not in `backoff`. */
  readonly nextRestartMs: number | null;
  /** Why it is in `backoff` or `failed`, such as `process exited with code 3`; null in any other state. */
  readonly reason: string | null;
  /** What it uses, read when the status was asked for; null where it is served in the broker's own process. */
  readonly memory: MemoryUsage | null;
  /** Calls that its parent has sent to it, by outcome; kept over restarts. */
  readonly calls: CallCounts;
  /** How long the answered calls took, from `call()` to the answer. */
  readonly latencyMs: Latency;
  /** Its cleanup after the last start, or null before it. */
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
