import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyHistogram, percentileOf } from "../../../src/core/call/outcomes.ts";

test("LatencyHistogram.percentile() is at most 3.2 % off from a microsecond to an hour, and never above the longest", () => {
  for (let ms = 0.001; ms < 3_600_000; ms *= 1.013) {
    const one = new LatencyHistogram();
    one.add(ms);
    one.add(10 * ms);
    const found = one.percentile(0.5) ?? NaN;
    assert.ok(Math.abs(found - ms) <= 0.032 * ms + 0.001, `${found} for ${ms}`);
    assert.ok((one.percentile(1) ?? NaN) <= one.maxMs);
    assert.equal(one.maxMs, 10 * ms);
  }
});

test("LatencyHistogram.merge() leaves what adding all times to one would, and a time that is none is left out", () => {
  const [all, one, other] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
  assert.deepEqual([all.percentile(0.5), all.maxMs, all.doublings()], [null, 0, []]);
  for (let ms = 0; ms < 1_000; ms++) {
    all.add(ms);
    (ms % 3 === 0 ? one : other).add(ms);
  }
  other.add(NaN);
  one.merge(other);
  const figures = (of: LatencyHistogram) => [0.01, 0.5, 0.99].map((part) => of.percentile(part));
  assert.deepEqual(figures(one), figures(all));
  assert.deepEqual([one.maxMs, one.sumMs, one.doublings()], [all.maxMs, all.sumMs, all.doublings()]);
});

test("percentileOf() agrees with the histogram to the width of a doubling", () => {
  const all = new LatencyHistogram();
  for (let ms = 1; ms <= 1_000; ms++) all.add(ms);
  for (const part of [0.1, 0.5, 0.9]) {
    const [coarse, fine] = [percentileOf([all.doublings()], part) ?? NaN, all.percentile(part) ?? NaN];
    assert.ok(coarse > fine / 2 && coarse < fine * 2, `${coarse} and ${fine}`);
  }
});
