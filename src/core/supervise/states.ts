/**
 * The states of a process and which may follow which.
 *
 *     starting ──▶ cleaning ──▶ ready ──▶ draining ──▶ stopped
 *         │            │          │          │
 *         └────────────┴──────────┴──────────┴──▶ backoff ──▶ starting
 *                                             └─▶ failed  ──▶ starting (by hand)
 *
 * @module
 */

export type ProcessState = "starting" | "cleaning" | "ready" | "draining" | "stopped" | "backoff" | "failed";

const MAY_FOLLOW: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  starting: ["cleaning", "draining", "backoff", "failed", "stopped"],
  cleaning: ["ready", "draining", "backoff", "failed", "stopped"],
  ready: ["draining", "backoff", "failed", "stopped"],
  draining: ["stopped", "starting"],
  stopped: ["starting"],
  backoff: ["starting", "stopped"],
  failed: ["starting", "stopped"],
};

/** @throws {Error} when the table does not allow it: a defect of brokkr. */
export function checkTransition(process: string, from: ProcessState, to: ProcessState): void {
  if (!MAY_FOLLOW[from].includes(to)) throw new Error(`Cannot make process "${process}" ${to}: it is ${from}`);
}
