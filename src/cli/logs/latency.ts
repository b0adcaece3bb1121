/** Eight buckets for each doubling, from 1 µs to about 70 minutes: each is at most 9 % wide. */
const BUCKETS_PER_DOUBLING = 8;
const BUCKETS = 256;

/** Milliseconds. */
export interface Percentiles {
  /** Half took at most this long; this one and the next two are at most 5 % off. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Exact. */
  readonly max: number;
}

/** How long many things took, in memory that does not grow with them. */
export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #max = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log2(Math.max(ms * 1000, 1)) * BUCKETS_PER_DOUBLING);
    const index = Math.min(bucket, BUCKETS - 1);
    // A time that can't be read has no bucket.
    if (Number.isNaN(index)) return;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    if (ms > this.#max) this.#max = ms;
  }

  merge(other: Latencies): void {
    for (let index = 0; index < BUCKETS; index++) {
      this.#counts[index] = (this.#counts[index] ?? 0) + (other.#counts[index] ?? 0);
    }
    this.#count += other.#count;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Null where there is nothing. */
  percentiles(): Percentiles | null {
    if (this.#count === 0) return null;
    return { p50: this.#percentile(0.5), p90: this.#percentile(0.9), p99: this.#percentile(0.99), max: this.#max };
  }

  #percentile(part: number): number {
    let left = Math.ceil(this.#count * part);
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#counts[index] ?? 0;
      if (left > 0) continue;
      if (index === 0) return 0;
      const middle = 2 ** ((index + 0.5) / BUCKETS_PER_DOUBLING) / 1000;
      return Math.min(this.#max, Math.round(middle * 1000) / 1000);
    }
    return this.#max;
  }
}
