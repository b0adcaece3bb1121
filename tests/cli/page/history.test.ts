import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../../src/cli/page/history.ts";
import { percentileOf } from "../../../src/core/call/outcomes.ts";
import { sampleModule, sampleStatus } from "./sample_status.ts";

test("History has the calls to modules per second between two looks", () => {
  const history = new History({ moments: 10 });
  const workers = [sampleModule({ name: "w-1", calls: { ok: 1_000 } })];
  const before = [{ upToMs: 1, count: 100 }];
  assert.equal(history.add(sampleStatus({ name: "a", calls: { ok: 100 }, histogram: before }), 1_000).calls.ok, 0);
  const histogram = [...before, { upToMs: 64, count: 7 }];
  const now = sampleStatus({ name: "a", calls: { ok: 107, error: 1 }, histogram, workers }, {
    name: "b",
    privateBytes: null,
  });
  const moment = history.add(now, 3_000);
  assert.deepEqual(moment.calls, { ok: 3.5, retried: 0, timeout: 0, cancelled: 0, error: 0.5 });
  assert.deepEqual([moment.p50, moment.p99], [48, 63.68]);
  assert.deepEqual(moment.memory, { a: 1_000, "w-1": 1_000 });
});

test("History takes counters that went back for those of a module that began anew", () => {
  const history = new History({ moments: 10 });
  history.add(sampleStatus({ name: "a", calls: { ok: 100 } }), 0);
  assert.equal(history.add(sampleStatus({ name: "a", calls: { ok: 4 } }), 2_000).calls.ok, 2);
});

test("History keeps so many moments and no more", () => {
  const history = new History({ moments: 3 });
  for (let time = 0; time < 10; time++) history.add(sampleStatus({ name: "a" }), time);
  assert.deepEqual(history.moments.map(({ time }) => time), [7, 8, 9]);
});

test("percentileOf() adds up histograms, and tells nothing of none", () => {
  assert.equal(percentileOf([], 0.5), null);
  assert.equal(percentileOf([[{ upToMs: 1, count: 0 }]], 0.5), null);
  const histograms = [[{ upToMs: 8, count: 1 }, { upToMs: 2, count: 1 }], [{ upToMs: 2, count: 2 }]];
  assert.equal(percentileOf(histograms, 0.75), 2);
  assert.equal(percentileOf(histograms, 1), 8);
});
