import { CallTimeoutError, PayloadError, ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { sla } from "../fixtures/broker/modules.ts";
import { isAlive, rejection, TestBroker } from "./broker_of.ts";
import { bytesOfFrame, RogueBroker } from "./rogue_of.ts";

const ANSWERS = 3;
const ANOTHER = "The command call [send] was sent but another answer was received. Retrying.";

function strayLines(r: RogueBroker): string[] {
  return r.texts(/^(call\.another-answer|answer\..*)$/);
}

test("answer that comes after the second timeout reaches nobody, where nobody waits and where somebody does", async () => {
  const r = await RogueBroker.start();
  try {
    const error = await r.rejection("hold", [], 400);
    assert.ok(error instanceof CallTimeoutError, String(error));
    assert.deepEqual([error.attempts, error.sent, error.peer], [2, true, "slow"]);
    assert.deepEqual(r.texts(/^call\.(retry|timeout)$/), [
      "The command call [hold] for module rogue was sent but the call timed out (0.4s). We will retry one time.",
      "Failed to send command call [hold] for module rogue because of timeout (0.4s).",
    ]);
    assert.equal(await r.answers('[[ID,HELD],0,0,["mine","late"]]'), "mine");
    await r.t.until(() => strayLines(r).length === 1);
    assert.deepEqual(strayLines(r), ["Late answer from rogue was discarded (call 1, command [hold])"]);
    assert.deepEqual(await r.counts(), { timeout: 1, ok: 1, late: 1 });

    await r.rejection("hold", [], 400);
    assert.equal(await r.answers('[[HELD,ID],0,0,["late","mine"]]'), "mine");
    assert.deepEqual(strayLines(r).slice(1), [ANOTHER]);
    assert.deepEqual(await r.counts(), { timeout: 2, ok: 2, late: 2 });
    assert.equal(await r.t.pidOf("rogue"), r.pid);
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

test("answer to the first attempt that comes during the second is the call's answer", async () => {
  const r = await RogueBroker.start();
  try {
    assert.equal(await r.call("second", [[[ANSWERS, '[[ID],[1],0,["first"]]']]], 400), "first");
    assert.deepEqual(r.texts(/^call\.(retry|timeout|another-answer)$/), [
      "The command call [second] for module rogue was sent but the call timed out (0.4s). We will retry one time.",
    ]);
    assert.deepEqual(await r.counts(), { retried: 1 });
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

test("answer that comes twice is given once, in one frame and in two", async () => {
  const r = await RogueBroker.start();
  try {
    assert.equal(await r.answers('[[ID,ID],0,0,["mine","again"]]'), "mine");
    assert.equal(await r.answers('[[ID],0,0,["mine"]]', '[[ID],0,0,["again"]]'), "mine");
    await r.t.until(() => strayLines(r).length === 2);
    assert.deepEqual(strayLines(r), [
      "Duplicate answer from rogue was discarded (call 1)",
      "Duplicate answer from rogue was discarded (call 2)",
    ]);
    assert.deepEqual(await r.counts(), { ok: 2, duplicate: 2 });
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

for (
  const [id, shown] of [
    ["999", "999"],
    ["0", "0"],
    ["1.5", "1.5"],
    ['"1"', '"1"'],
    ['"__proto__"', '"__proto__"'],
    ["null", "null"],
    ['{"__proto__":1}', "an object"],
  ]
) {
  test(`answer with the id ${id} is unknown, and the call that waits gets its own`, async () => {
    const r = await RogueBroker.start();
    try {
      assert.equal(await r.answers(`[[${id},${id},ID],0,0,["not mine","not mine","mine"]]`), "mine");
      assert.deepEqual(strayLines(r), [ANOTHER, `Unknown answer from rogue was discarded (call ${shown})`]);
      assert.deepEqual(await r.counts(), { ok: 1, unknown: 2 });
      assert.equal(Reflect.get({}, "polluted"), undefined);
      assert.equal(await r.call("echo", ["next"]), "next");
      assert.equal(await r.t.pidOf("rogue"), r.pid);
      await r.nothingLeft();
    } finally {
      await r.t.broker.stop();
    }
  });
}

test("answers that a process sends with its last breath reach no call of the process that replaces it", async () => {
  const r = await RogueBroker.start();
  try {
    await r.call("at_stop", ['[[1,2,3],0,0,["old","old","old"]]']);
    const restarted = r.t.broker.restart("rogue");
    // Ids begin at 1 again: these have those that the old process has just answered.
    const answers = [1, 2, 3].map((value) => r.call("echo", [value]));
    await restarted;
    assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
    assert.deepEqual(strayLines(r), [
      "Duplicate answer from rogue was discarded (call 1)",
      "Unknown answer from rogue was discarded (call 2)",
      "Unknown answer from rogue was discarded (call 3)",
    ]);
    assert.deepEqual(await r.counts(), { ok: 4, duplicate: 1, unknown: 2 });
    assert.notEqual(await r.t.pidOf("rogue"), r.pid);
    assert.equal(await isAlive(Number(r.pid)), false);
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

test("answers to ids that are not yet given reach no call, also after the process that sent them has died", async () => {
  const r = await RogueBroker.start();
  try {
    const error = await r.rejection("last", [bytesOfFrame(ANSWERS, '[[2,3],0,0,["early","early"]]')]);
    assert.ok(error instanceof ProcessGoneError, String(error));
    assert.equal(error.exitCode, 3);
    assert.deepEqual(await Promise.all(["a", "b", "c"].map((value) => r.call("echo", [value]))), ["a", "b", "c"]);
    assert.deepEqual(strayLines(r), [
      "The command call [last] was sent but another answer was received. Retrying.",
      "Unknown answer from rogue was discarded (call 3)",
    ]);
    assert.deepEqual(await r.counts(), { error: 1, ok: 3, unknown: 2 });
    assert.equal(await isAlive(Number(r.pid)), false);
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

/** What bytes have beside them: `null` in the text and their place, `[[[],17825792]]` and 16 bytes. */
const BESIDE = 35;

test("result over the limit is a PayloadError with both sizes, and its process lives", async () => {
  const t = await TestBroker.start({ modules: [sla] });
  try {
    const pid = await t.pidOf("sla");
    const error = await rejection(t.broker.call("sla", "zeros", [17 * 1024 * 1024], { timeoutMs: 20_000 }));
    assert.ok(error instanceof PayloadError, String(error));
    assert.deepEqual([error.bytes, error.limit], [17 * 1024 * 1024 + BESIDE, 16 * 1024 * 1024 - 4096]);
    const lines = t.lines(/^(call|command)\.error$/).map((line) => line.replace(/^.*MainThread \] /, ""));
    assert.deepEqual(lines.toSorted(), [
      "Failed to execute received command [zeros] with error: payload of 17825827 bytes is over the limit of 16773120",
      "Failed to send command call [zeros] for module sla because of error: " +
      "payload of 17825827 bytes is over the limit of 16773120",
    ]);
    const largest = await t.broker.call("sla", "zeros", [16 * 1024 * 1024 - 4096 - BESIDE], { timeoutMs: 20_000 });
    assert.ok(largest instanceof Uint8Array);
    assert.equal(largest.length, 16 * 1024 * 1024 - 4096 - BESIDE);
    const [status] = (await t.broker.status()).modules;
    assert.deepEqual([status?.calls.error, status?.calls.ok, status?.pid], [1, 1, pid]);
  } finally {
    await t.broker.stop();
  }
});
