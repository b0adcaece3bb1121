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

export const OUTCOMES: readonly Outcome[] = ["ok", "retried", "timeout", "cancelled", "error"];
export const STRAY_ANSWERS: readonly StrayAnswer[] = ["late", "duplicate", "unknown"];

/** How many calls of a callee ended in each outcome, and how many answers were nobody's. */
export type CallCounts = Record<Outcome | StrayAnswer, number>;

/** How long the answered calls of a callee took, each figure at most 7 % off. */
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

/** Eight buckets for each doubling, from 1 µs to about 35 minutes: each is at most an eighth wide. */
const BUCKET_BITS = 3;
const PER_DOUBLING = 1 << BUCKET_BITS;
const MAX_US = 2 ** 31 - 1;
const BUCKETS = bucketOf(MAX_US) + 1;

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
  #sumMs = 0;

  count(what: Outcome | StrayAnswer): void {
    this.#counts[what]++;
  }

  answeredIn(ms: number): void {
    const bucket = bucketOf(Math.min(ms * 1000, MAX_US));
    this.#latency[bucket] = (this.#latency[bucket] ?? 0) + 1;
    this.#answered++;
    this.#sumMs += ms;
  }

  counts(): CallCounts {
    return { ...this.#counts };
  }

  latency(): Latency {
    const sumMs = Math.round(this.#sumMs * 1000) / 1000;
    return { p50: this.#percentile(0.5), p99: this.#percentile(0.99), sumMs, histogram: this.#histogram() };
  }

  /** By doublings: enough for a picture, and for sums over processes. */
  #histogram(): Latency["histogram"] {
    const counts = new Map<number, number>();
    for (let index = 0; index < BUCKETS; index++) {
      const count = this.#latency[index] ?? 0;
      if (count === 0) continue;
      const upToMs = 2 ** Math.ceil(Math.log2(lowestOf(index + 1))) / 1000;
      counts.set(upToMs, (counts.get(upToMs) ?? 0) + count);
    }
    return [...counts].map(([upToMs, count]) => ({ upToMs, count }));
  }

  #percentile(part: number): number | null {
    if (this.#answered === 0) return null;
    let left = Math.ceil(this.#answered * part);
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#latency[index] ?? 0;
      if (left <= 0) return Math.round((lowestOf(index) + lowestOf(index + 1)) / 2) / 1000;
    }
    return null;
  }
}

/** Whole numbers only: a logarithm costs each answer more. */
function bucketOf(us: number): number {
  const whole = us | 0;
  const shift = Math.max(31 - Math.clz32(whole) - BUCKET_BITS, 0);
  return shift * PER_DOUBLING + (whole >> shift);
}

function lowestOf(bucket: number): number {
  const shift = Math.max((bucket >> BUCKET_BITS) - 1, 0);
  return (bucket - shift * PER_DOUBLING) * 2 ** shift;
}
