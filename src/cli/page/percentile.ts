import type { Latency } from "../../core/call/counters.ts";

export type Buckets = Latency["histogram"];

/** The time that `part` of all the counts did not pass. A bucket is a doubling wide; within it the counts are taken to be even. */
export function percentile(histograms: readonly Buckets[], part: number): number | null {
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
