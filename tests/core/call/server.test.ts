import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCounters } from "../../../src/core/call/outcomes.ts";
import { IdGaps, ReplyCache } from "../../../src/core/call/reply_cache.ts";
import { RunningCall } from "../../../src/core/call/server.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { encodeValue } from "../wire/carry.ts";
import { frame } from "../frames.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { Conversation, NOTHING_LEFT } from "./conversation.ts";

function run(kept: ReplyCache<RunningCall>, id: number, value: unknown = id, attempt = 1): void {
  const call = new RunningCall({ id, attempt, command: "c" }, "b", () => {});
  kept.keepRunning(call);
  kept.answered(call, { id, attempt, kind: 0, value: encodeValue(value, "v") });
}

test("KeptAnswers takes each id once, and those that were skipped when they come", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  assert.deepEqual([1, 2, 2, 5, 3, 3, 1, 4, 5, 6].map((id) => kept.isNew(id)), [
    true,
    true,
    false,
    true,
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
});

test("KeptAnswers gives an answer again to a higher attempt, once for each", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  run(kept, 1, "x");
  assert.equal(kept.again(1, 1), undefined);
  assert.deepEqual(kept.again(1, 2), { id: 1, attempt: 2, kind: 0, value: encodeValue("x", "v") });
  assert.equal(kept.again(1, 2), undefined);
  assert.equal(kept.again(2, 2), undefined);
});

test("KeptAnswers forgets what the caller has settled, and never takes it for new", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  for (let id = 1; id <= 4; id++) {
    assert.equal(kept.isNew(id), true);
    run(kept, id);
  }
  kept.isNew(7);
  kept.settledBelow(6);
  assert.equal(kept.again(4, 2), undefined);
  assert.equal(kept.isNew(4), false);
  assert.equal(kept.isNew(5), false, "skipped, and settled since");
  assert.equal(kept.isNew(6), true, "skipped, and not settled");
});

test("KeptAnswers is bounded by count and by bytes, the oldest go first", () => {
  const many = new ReplyCache<RunningCall>(new ManualClock());
  for (let id = 1; id <= 8_193; id++) {
    many.isNew(id);
    run(many, id);
  }
  assert.equal(many.again(1, 2), undefined);
  assert.notEqual(many.again(2, 2), undefined);
  const large = new ReplyCache<RunningCall>(new ManualClock());
  for (let id = 1; id <= 3; id++) {
    large.isNew(id);
    run(large, id, "x".repeat(6 * 1024 * 1024));
  }
  assert.equal(large.again(1, 2), undefined);
  assert.notEqual(large.again(2, 2), undefined);
});

test("KeptAnswers keeps the answer of a call that ran while all newer ones were settled, or forgotten for room", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  const slow = new RunningCall({ id: 1, attempt: 1, command: "c" }, "b", () => {});
  kept.isNew(1);
  kept.keepRunning(slow);
  for (let id = 2; id <= 8_200; id++) {
    kept.isNew(id);
    run(kept, id);
  }
  assert.equal(kept.again(2, 2), undefined, "forgotten for room");
  assert.equal(kept.find(1), slow);
  kept.answered(slow, { id: 1, attempt: 1, kind: 0, value: encodeValue("late", "v") });
  assert.equal(kept.again(1, 2), undefined, "there is no room, and it is the oldest");
  kept.settledBelow(8_100);
  const other = new RunningCall({ id: 8_201, attempt: 1, command: "c" }, "b", () => {});
  kept.isNew(8_201);
  kept.keepRunning(other);
  kept.settledBelow(8_201);
  kept.answered(other, { id: 8_201, attempt: 1, kind: 0, value: encodeValue("kept", "v") });
  assert.deepEqual(kept.again(8_201, 2)?.value, encodeValue("kept", "v"));
  assert.notEqual(kept.again(8_201, 3), undefined);
  kept.settledBelow(8_202);
  assert.equal(kept.again(8_201, 4), undefined);
});

test("KeptAnswers keeps nothing of a call that its caller gave up", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  const slow = new RunningCall({ id: 1, attempt: 1, command: "c" }, "b", () => {});
  kept.isNew(1);
  kept.keepRunning(slow);
  kept.settledBelow(2);
  kept.answered(slow, { id: 1, attempt: 1, kind: 0, value: encodeValue("late", "v") });
  assert.equal(kept.again(1, 2), undefined);
});

test("KeptAnswers is not held up by a peer that skips to the largest id", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  kept.isNew(1);
  run(kept, 1);
  kept.settledBelow(Number.MAX_SAFE_INTEGER);
  assert.equal(kept.again(1, 2), undefined);
  const far = new ReplyCache<RunningCall>(new ManualClock());
  far.isNew(Number.MAX_SAFE_INTEGER - 1);
  run(far, Number.MAX_SAFE_INTEGER - 1);
  far.isNew(Number.MAX_SAFE_INTEGER);
  run(far, Number.MAX_SAFE_INTEGER);
  far.settledBelow(Number.MAX_SAFE_INTEGER);
  assert.equal(far.again(Number.MAX_SAFE_INTEGER - 1, 2), undefined);
  assert.notEqual(far.again(Number.MAX_SAFE_INTEGER, 2), undefined);
});

test("IdGaps holds ids that were stepped over as ranges, splits them, and forgets the oldest beyond 8,192", () => {
  const gaps = new IdGaps();
  gaps.add(2, 10);
  gaps.add(11, Number.MAX_SAFE_INTEGER);
  assert.equal(gaps.size, 2);
  assert.deepEqual([1, 10, 2, 2, 9, 5, 4, 6].map((id) => gaps.take(id)), [
    false,
    false,
    true,
    false,
    true,
    true,
    true,
    true,
  ]);
  assert.equal(gaps.size, 3, "3, 7 to 8, and all from 11");
  gaps.forgetBelow(8);
  assert.deepEqual([3, 7, 8, 8].map((id) => gaps.take(id)), [false, false, true, false]);
  for (let id = 12; id <= 20_000; id += 2) assert.equal(gaps.take(id), true);
  assert.equal(gaps.size, 8_192);
  assert.deepEqual([gaps.take(11), gaps.take(19_999)], [false, true]);
});

test("a frame of ids that each step far runs all its calls, and those that were stepped over when they come", async () => {
  let runs = 0;
  const c = new Conversation({ count: () => ++runs });
  const ids = Array.from({ length: 2_100 }, (_, index) => (index + 1) * 1_000_000_007);
  const calls = (some: readonly number[]) =>
    frame(FrameType.calls, JSON.stringify([1, some, 0, some.map(() => "count"), some.map(() => []), 0]));
  c.calleeEnd.deliver(calls(ids));
  c.calleeEnd.deliver(calls([5, ids[7] ?? 0, (ids[3] ?? 0) + 1]));
  await c.clock.advance(0);
  assert.equal(runs, 2_102);
  assert.deepEqual(c.refused, []);
  c.callee.abort();
  assert.equal(c.clock.timers, 0);
});

test("KeptAnswers tells what runs", () => {
  const kept = new ReplyCache<RunningCall>(new ManualClock());
  const call = new RunningCall({ id: 3, attempt: 1, command: "c" }, "b", () => {});
  kept.keepRunning(call);
  assert.deepEqual([kept.find(3), kept.runningCount, [...kept.running]], [call, 1, [call]]);
  kept.answered(call, { id: 3, attempt: 1, kind: 0, value: encodeValue(1, "v") });
  assert.deepEqual([kept.find(3), kept.runningCount], [undefined, 0]);
});

test("CallCounters tells the percentiles of latency within 10 %, and nulls before the first", () => {
  const counters = new CallCounters();
  assert.deepEqual(counters.latency(), { p50: null, p99: null, sumMs: 0, histogram: [] });
  for (let ms = 1; ms <= 1000; ms++) counters.answeredIn(ms);
  const { p50, p99 } = counters.latency();
  assert.ok(p50 !== null && Math.abs(p50 - 500) < 50, String(p50));
  assert.ok(p99 !== null && Math.abs(p99 - 990) < 99, String(p99));
  const extremes = new CallCounters();
  extremes.answeredIn(0);
  extremes.answeredIn(1e12);
  assert.ok((extremes.latency().p50 ?? 1) < 0.002);
  const some = new CallCounters();
  for (const ms of [0.003, 0.0031, 1, 1.5, 1000]) some.answeredIn(ms);
  assert.deepEqual(some.latency().histogram, [
    { upToMs: 0.004, count: 2 },
    { upToMs: 1.024, count: 1 },
    { upToMs: 2.048, count: 1 },
    { upToMs: 1048.576, count: 1 },
  ]);
  assert.equal(some.latency().sumMs, 1002.506);
});

test("KeptAnswers forgets within a minute what nobody asks for, the answer to a call that ran long included", async () => {
  const clock = new ManualClock();
  const kept = new ReplyCache<RunningCall>(clock);
  const isKept = (id: number) => kept.again(id, 2) !== undefined;
  const long = new RunningCall({ id: 1, attempt: 1, command: "c" }, "b", () => {});
  for (const id of [1, 2, 3]) kept.isNew(id);
  kept.keepRunning(long);
  run(kept, 2);
  await clock.advance(30_000);
  run(kept, 3);
  await clock.advance(30_000);
  kept.answered(long, { id: 1, attempt: 1, kind: 0, value: encodeValue("long", "v") });
  assert.deepEqual([isKept(2), isKept(3), isKept(1)], [false, false, true]);
  await clock.advance(60_000);
  assert.deepEqual([1, 2, 3].map((id) => kept.again(id, 3)), [undefined, undefined, undefined]);
  assert.equal(clock.timers, 0);
});

test("a call that comes while the caller does not read runs when it reads again, whoever else has nothing to say", async () => {
  const c = new Conversation({
    huge: () => "x".repeat(5_000_000),
    small: () => "small",
  });
  c.calleeEnd.stick();
  const huge = c.call("huge", [], { timeoutMs: 10_000 });
  await c.clock.advance(10);
  assert.ok(c.calleeEnd.unsentBytes > 4 * 1024 * 1024);
  const small = [c.call("small"), c.call("small")];
  await c.clock.advance(10);
  c.calleeEnd.release();
  await c.clock.advance(10);
  assert.equal(String(await huge).length, 5_000_000);
  assert.deepEqual(await Promise.all(small), ["small", "small"]);
  assert.deepEqual(c.counts(), { ok: 3 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

for (const kind of ["plain", "async"]) {
  test(`calls of ${kind} commands that compute run a few in each turn of the event loop: what is answered leaves, what is cancelled never runs`, async () => {
    const ran: number[] = [];
    const compute = (id: number) => {
      ran.push(id);
      c.clock.standStill(30);
      return id;
    };
    const c = new Conversation({ compute: kind === "plain" ? compute : async (id: number) => await compute(id) });
    const answered: unknown[] = [];
    const last = new AbortController();
    const calls = [1, 2, 3, 4].map(async (id) => {
      const signal = id === 4 ? { signal: last.signal } : {};
      answered.push(await c.call("compute", [id], { timeoutMs: 10_000, ...signal }));
    });
    await settle();
    assert.deepEqual([ran, answered, c.callee.running], [[1], [1], 3]);
    last.abort();
    await c.clock.advance(0);
    assert.deepEqual([ran, answered], [[1, 2], [1, 2]]);
    await c.clock.advance(1_000);
    await Promise.allSettled(calls);
    assert.deepEqual([ran, answered, c.counts()], [[1, 2, 3], [1, 2, 3], { ok: 3, cancelled: 1 }]);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("short calls of one frame run in one turn, and those behind a long one do once it is over", async () => {
  const ran: string[] = [];
  const c = new Conversation({
    short: (id: number) => void ran.push(`short ${id}`),
    long: () => {
      ran.push("long");
      c.clock.standStill(30);
    },
  });
  const calls = [...Array(20).keys()].map((id) => c.call(id === 1 ? "long" : "short", [id]));
  await settle();
  assert.ok(ran.length >= 2 && ran.length <= 5, ran.join());
  await c.clock.advance(0);
  await Promise.all(calls);
  assert.deepEqual(ran, [...Array(20).keys()].map((id) => id === 1 ? "long" : `short ${id}`));
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
