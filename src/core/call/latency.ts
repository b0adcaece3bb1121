/**
 * How long things take: counts in buckets, so that memory does not grow with their number.
 *
 * @module
 */

/** Sixteen buckets for each doubling, from 1 µs to 71 minutes: the middle of one is at most 3.2 % off. */
const BUCKET_BITS = 4;
const PER_DOUBLING = 1 << BUCKET_BITS;
const MAX_US = 2 ** 32 - 1;
const BUCKETS = bucketOf(MAX_US) + 1;

/** How many took at most `upToMs` milliseconds and more than half of that, in rising order; empty ones are left out. */
export type Doublings = readonly { readonly upToMs: number; readonly count: number }[];

export class LatencyHistogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** Milliseconds of all together. */
  get sumMs(): number {
    return Math.round(this.#sumMs * 1000) / 1000;
  }

  /** The longest, exactly; 0 where there is none. */
  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    // A time that can't be read from a log has no bucket.
    if (Number.isNaN(ms)) return;
    const bucket = bucketOf(Math.min(ms * 1000, MAX_US));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  merge(other: LatencyHistogram): void {
    for (let index = 0; index < BUCKETS; index++) {
      this.#buckets[index] = (this.#buckets[index] ?? 0) + (other.#buckets[index] ?? 0);
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The milliseconds within which `part` of all ended, at most 3.2 % off; null where there is none. */
  percentile(part: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.ceil(this.#count * part);
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#buckets[index] ?? 0;
      if (left > 0) continue;
      const middle = Math.floor((lowestOf(index) + lowestOf(index + 1)) / 2) / 1000;
      return Math.min(middle, this.#maxMs);
    }
    return this.#maxMs;
  }

  /** Enough for a picture, and for sums over processes. */
  doublings(): Doublings {
    const counts = new Map<number, number>();
    for (let index = 0; index < BUCKETS; index++) {
      const count = this.#buckets[index] ?? 0;
      if (count === 0) continue;
      const upToMs = 2 ** Math.ceil(Math.log2(lowestOf(index + 1))) / 1000;
      counts.set(upToMs, (counts.get(upToMs) ?? 0) + count);
    }
    return [...counts].map(([upToMs, count]) => ({ upToMs, count }));
  }
}

/** The milliseconds within which `part` of all counts ended, taken to be even within a doubling; null where there is none. */
export function percentileOf(histograms: readonly Doublings[], part: number): number | null {
  const counts = new Map<number, number>();
  for (const { upToMs, count } of histograms.flat()) counts.set(upToMs, (counts.get(upToMs) ?? 0) + count);
  const rising = [...counts].filter(([, count]) => count > 0).sort(([one], [other]) => one - other);
  const all = rising.reduce((sum, [, count]) => sum + count, 0);
  let left = all * part;
  for (const [upToMs, count] of rising) {
    if (left <= count) return Math.round(upToMs * (1 + left / count) * 500) / 1_000;
    left -= count;
  }
  return null;
}

/** Whole numbers only: a logarithm costs each answer more. */
function bucketOf(us: number): number {
  const whole = us >>> 0;
  const shift = Math.max(31 - Math.clz32(whole) - BUCKET_BITS, 0);
  return shift * PER_DOUBLING + (whole >>> shift);
}

function lowestOf(bucket: number): number {
  const shift = Math.max((bucket >> BUCKET_BITS) - 1, 0);
  return (bucket - shift * PER_DOUBLING) * 2 ** shift;
}
