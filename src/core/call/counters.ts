/**
 * What became of the calls of one callee: each call in one outcome, each answer that is nobody's in one kind, and how long the
 * answered ones took.
 *
 * @module
 */

/** How a call ends. `retried`: answered after the retry. */
export type Outcome = "ok" | "retried" | "timeout" | "cancelled" | "error";

/** An answer that belongs to no waiting call. */
export type StrayAnswer = "late" | "duplicate" | "unknown";

/** How many calls of a callee ended in each outcome, and how many answers were nobody's. */
export type CallCounts = Record<Outcome | StrayAnswer, number>;

/** How long the answered calls of a callee took, each figure at most 19 % off. */
export interface Latency {
  /** Half of the calls took at most this many milliseconds; null before the first answered call. */
  readonly p50: number | null;
  /** 99 of 100 calls took at most this many milliseconds; null before the first answered call. */
  readonly p99: number | null;
}

/** Four buckets for each doubling, from 1 µs to about 70 minutes: each is at most 19 % wide. */
const BUCKETS_PER_DOUBLING = 4;
const BUCKETS = 128;

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
  readonly #latency = new Float64Array(BUCKETS);
  #answered = 0;

  count(what: Outcome | StrayAnswer): void {
    this.#counts[what]++;
  }

  answeredIn(ms: number): void {
    const bucket = Math.floor(Math.log2(Math.max(ms * 1000, 1)) * BUCKETS_PER_DOUBLING);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#latency[index] = (this.#latency[index] ?? 0) + 1;
    this.#answered++;
  }

  counts(): CallCounts {
    return { ...this.#counts };
  }

  latency(): Latency {
    return { p50: this.#percentile(0.5), p99: this.#percentile(0.99) };
  }

  #percentile(part: number): number | null {
    if (this.#answered === 0) return null;
    let left = Math.ceil(this.#answered * part);
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#latency[index] ?? 0;
      if (left <= 0) return Math.round(2 ** ((index + 0.5) / BUCKETS_PER_DOUBLING)) / 1000;
    }
    return null;
  }
}
