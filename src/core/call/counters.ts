/**
 * What became of the calls of one callee: each call in one outcome, each answer that is nobody's in one kind, and how long the
 * answered ones took.
 *
 * @module
 */

import { LatencyHistogram } from "../latency.ts";

/** How a call ends. `retried`: answered after the retry. */
export type Outcome = "ok" | "retried" | "timeout" | "cancelled" | "error";

/** An answer that belongs to no waiting call. */
export type StrayAnswer = "late" | "duplicate" | "unknown";

export const OUTCOMES: readonly Outcome[] = ["ok", "retried", "timeout", "cancelled", "error"];
export const STRAY_ANSWERS: readonly StrayAnswer[] = ["late", "duplicate", "unknown"];

/** How many calls of a callee ended in each outcome, and how many answers were nobody's. */
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

export class CallCounters {
  readonly #counts: CallCounts = {
    ok: 0,
    error: 0,
    timeout: 0,
    retried: 0,
    late: 0,
    duplicate: 0,
    unknown: 0,
    cancelled: 0,
  };
  readonly #latency = new LatencyHistogram();

  count(what: Outcome | StrayAnswer): void {
    this.#counts[what]++;
  }

  answeredIn(ms: number): void {
    this.#latency.add(ms);
  }

  counts(): CallCounts {
    return { ...this.#counts };
  }

  latency(): Latency {
    return {
      p50: this.#latency.percentile(0.5),
      p99: this.#latency.percentile(0.99),
      sumMs: this.#latency.sumMs,
      histogram: this.#latency.doublings(),
    };
  }
}
