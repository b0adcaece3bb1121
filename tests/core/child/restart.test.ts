import assert from "node:assert/strict";
import { test } from "node:test";
import { Restarts } from "../../../src/core/child/restart.ts";
import { supervisionPlan, type SupervisionSettings } from "../../../src/core/settings/settings.ts";

function restartsOf(restart: SupervisionSettings["restart"], random = 0.5): Restarts {
  return new Restarts(supervisionPlan(restart === undefined ? {} : { restart }).restart, () => random);
}

const CRASH = { failed: true, lasting: false, uptimeMs: 0 };

/** The pauses before as many restarts as there are, one crash right after the other; "stay" where there is none. */
function pauses(restarts: Restarts, count: number, uptimeMs = 0): (number | string)[] {
  let now = 0;
  return Array.from({ length: count }, () => {
    const decision = restarts.decide({ ...CRASH, uptimeMs, now });
    if (decision.kind === "stay") return decision.why;
    now += decision.delayMs + uptimeMs;
    return decision.delayMs;
  });
}

test("a crash loop is restarted at once, after pauses that double, and after five restarts no more", () => {
  const restarts = restartsOf(undefined);
  assert.deepEqual(pauses(restarts, 7), [0, 100, 200, 400, 800, "intensity", "intensity"]);
  assert.equal(restarts.total, 5);
});

test("the pause grows to its cap, which jitter does not pass either", () => {
  const settings = { delayMs: 1_000, factor: 10, maxDelayMs: 5_000, maxRestarts: 100, jitter: 0.5 };
  assert.deepEqual(pauses(restartsOf(settings), 5), [0, 1_000, 5_000, 5_000, 5_000]);
  assert.deepEqual(pauses(restartsOf(settings, 0), 4), [0, 500, 2_500, 2_500]);
  assert.deepEqual(pauses(restartsOf(settings, 1), 4), [0, 1_500, 5_000, 5_000]);
});

test("without a pause there is none after a thousand restarts either, where the factor is beyond every number", () => {
  const settings = { delayMs: 0, maxRestarts: 2_000 };
  assert.deepEqual(new Set(pauses(restartsOf(settings), 1_100)), new Set([0]));
});

test("to become ready does not begin the pauses anew, to stay ready for minUptimeMs does", () => {
  const settings = { minUptimeMs: 10_000, maxRestarts: 100 };
  assert.deepEqual(pauses(restartsOf(settings), 4, 9_999), [0, 100, 200, 400]);
  assert.deepEqual(pauses(restartsOf(settings), 4, 10_000), [0, 0, 0, 0]);
});

test("restarts that lie longer ago than windowMs do not count", () => {
  const settings = { maxRestarts: 2, windowMs: 1_000, minUptimeMs: 501 };
  assert.deepEqual(pauses(restartsOf(settings), 5, 501), [0, 0, 0, 0, 0]);
  assert.deepEqual(pauses(restartsOf({ ...settings, minUptimeMs: 499 }), 3, 499), [0, 0, "intensity"]);
});

test("maxRestarts of 0 leaves the first crash alone", () => {
  assert.deepEqual(pauses(restartsOf({ maxRestarts: 0 }), 1), ["intensity"]);
});

test("a policy decides over failed and clean ends, and what can never succeed is not tried again", () => {
  for (
    const [policy, afterFailure, afterCleanEnd] of [
      ["always", "restart", "restart"],
      ["on-failure", "restart", "stay"],
      ["never", "stay", "stay"],
    ] as const
  ) {
    const kind = (facts: Partial<typeof CRASH>) => restartsOf(policy).decide({ ...CRASH, ...facts, now: 0 }).kind;
    assert.deepEqual([kind({}), kind({ failed: false }), kind({ lasting: true })], [
      afterFailure,
      afterCleanEnd,
      "stay",
    ]);
  }
});

test("a restart by hand gives the process its restarts back", () => {
  const restarts = restartsOf({ maxRestarts: 2 });
  assert.deepEqual(pauses(restarts, 3), [0, 100, "intensity"]);
  restarts.byHand();
  assert.deepEqual(pauses(restarts, 3), [0, 100, "intensity"]);
  assert.equal(restarts.total, 5);
});

test("other settings hold from the next end on, and the restarts so far still count", () => {
  const restarts = restartsOf({ delayMs: 100 });
  assert.deepEqual(pauses(restarts, 2), [0, 100]);
  restarts.follow(supervisionPlan({ restart: { delayMs: 1_000, maxRestarts: 3 } }).restart);
  assert.deepEqual(pauses(restarts, 2), [2_000, "intensity"]);
  assert.equal(restarts.total, 3);
});
