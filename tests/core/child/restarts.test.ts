import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { Supervision } from "./fake_process.ts";

const REQUEST = { target: "sla", timeoutMs: 1_000, retry: "once" } as const;

test("on-failure leaves a process that ended well, always starts it again, never starts nothing again", async () => {
  for (
    const [policy, spawned, state] of [["on-failure", 1, "stopped"], ["always", 2, "starting"], [
      "never",
      1,
      "stopped",
    ]] as const
  ) {
    const s = new Supervision({ restart: policy });
    const life = await s.up();
    await life.exit({ code: 0, signal: null });
    await s.advance(0);
    assert.deepEqual([s.runtime.spawned.length, s.supervisor.state], [spawned, state], policy);
  }
});

test("restart() of a process that has failed starts it anew, with as many restarts as the first time", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  await life.exit({ code: 1, signal: null });
  assert.equal(s.supervisor.state, "failed");
  const restarted = s.supervisor.restart();
  await settle();
  await s.life.hello();
  await s.life.ready();
  await restarted;
  assert.equal(s.supervisor.state, "ready");
  assert.equal((await s.supervisor.status()).restarts, 1);
});

test("restart() of a process that is being restarted waits for the same start", async () => {
  const s = new Supervision();
  await s.up();
  const both = Promise.all([s.supervisor.restart(), s.supervisor.restart()]);
  await s.life.exit({ code: 0, signal: null });
  await settle();
  await s.life.hello();
  await s.life.ready();
  await both;
  assert.equal(s.supervisor.state, "ready");
  assert.equal(s.runtime.spawned.length, 2);
});

test("stop() while a process is being restarted is the end of it, and of the calls that wait", async () => {
  const s = new Supervision();
  await s.up();
  const restarted = s.supervisor.restart();
  const stopped = s.supervisor.stop();
  await s.life.exit({ code: 0, signal: null });
  await Promise.all([restarted, stopped]);
  assert.equal(s.supervisor.state, "stopped");
  assert.equal(s.runtime.spawned.length, 1);
  await assert.rejects(s.supervisor.caller.call("size", [], REQUEST), /process was stopped/);
  assert.equal(s.runtime.clock.timers, 0);
});

test("restarts come at once, then after pauses that grow, and the line and the status tell the real pause", async () => {
  const s = new Supervision({ restart: { policy: "always", delayMs: 100, maxDelayMs: 150 } });
  await s.up();
  for (const pause of [0, 100, 150]) {
    await s.life.exit({ code: 0, signal: null });
    assert.equal(s.supervisor.state, "backoff");
    const { nextRestartMs, reason } = await s.supervisor.status();
    assert.deepEqual([nextRestartMs, reason], [pause, "process exited with code 0"]);
    const restarts = s.runtime.spawned.length;
    assert.equal(
      s.lines().at(-1),
      `sla will be started again in ${pause / 1000}s (restarts so far: ${restarts})`,
    );
    if (pause > 0) await s.advance(pause - 1);
    assert.equal(s.runtime.spawned.length, restarts);
    await s.advance(1);
    assert.equal(s.runtime.spawned.length, restarts + 1);
    await s.life.hello();
    await s.life.ready();
    const { nextRestartMs: next, reason: none } = await s.supervisor.status();
    assert.deepEqual([next, none], [null, null]);
  }
});

test("the status of a process that is not started again says why, until it is", async () => {
  const s = new Supervision({ restart: "never" });
  await (await s.up()).exit({ code: 3, signal: null });
  const { state, reason } = await s.supervisor.status();
  assert.deepEqual([state, reason], ["failed", "process exited with code 3"]);
  void s.supervisor.restart();
  await settle();
  assert.equal((await s.supervisor.status()).reason, null);
});

test("stop() during the pause before a restart is the end, and no timer stays", async () => {
  const s = new Supervision({ restart: "always" });
  const life = await s.up();
  await life.exit({ code: 0, signal: null });
  await s.supervisor.stop();
  assert.equal(s.supervisor.state, "stopped");
  assert.equal(s.runtime.clock.timers, 0);
  assert.equal(s.runtime.spawned.length, 1);
});

test("a start that can never succeed fails at once, whatever the policy", async () => {
  const s = new Supervision({ restart: "always" });
  s.runtime.refuse = Object.assign(new Error("Cannot start a process: Requires run access"), { lasting: true });
  await s.supervisor.start();
  assert.equal(s.supervisor.state, "failed");
  assert.match(s.lines().at(-1) ?? "", /^sla will not be started again: Cannot start a process: Requires run access;/);
  assert.equal(s.runtime.clock.timers, 0);
});

test("a start that fails otherwise is tried again", async () => {
  const s = new Supervision();
  s.runtime.refuse = new Error("too many files are open");
  void s.supervisor.start();
  await settle();
  assert.equal(s.supervisor.state, "backoff");
  s.runtime.refuse = undefined;
  await s.advance(0);
  await s.life.hello();
  await s.life.ready();
  assert.equal(s.supervisor.state, "ready");
});

for (const how of ["restart", "replace"] as const) {
  test(`${how}() during the pause before a restart starts at once, and settles when that start ends again`, async () => {
    const s = new Supervision({ restart: { policy: "always", delayMs: 30_000, maxRestarts: 1_000 } });
    await s.up();
    await s.life.exit({ code: 1, signal: null });
    await s.advance(0);
    await s.life.exit({ code: 1, signal: null });
    assert.deepEqual([s.supervisor.state, s.runtime.spawned.length], ["backoff", 2]);
    let result: unknown = "none";
    void s.supervisor[how]("reload").then((value) => result = value);
    await settle();
    assert.deepEqual([s.supervisor.state, s.runtime.spawned.length, result], ["starting", 3, "none"]);
    await s.life.exit({ code: 1, signal: null });
    assert.equal(s.supervisor.state, "backoff");
    assert.equal(result, how === "restart" ? undefined : false);
    await s.supervisor.stop();
    assert.equal(s.runtime.clock.timers, 0);
  });
}

test("calls wait for a process that is started again after stop(), whatever it was stopped in", async () => {
  for (const state of ["ready", "backoff", "failed"] as const) {
    const s = new Supervision({ restart: state === "failed" ? "never" : { policy: "always", delayMs: 1_000 } });
    const life = await s.up();
    if (state !== "ready") await life.exit({ code: 1, signal: null });
    assert.equal(s.supervisor.state, state);
    const stopped = s.supervisor.stop();
    await settle();
    if (state === "ready") await life.exit({ code: 0, signal: null });
    await stopped;
    await assert.rejects(s.supervisor.caller.call("size", [], REQUEST), /process was stopped/);
    const restarted = s.supervisor.restart();
    await settle();
    const call = s.supervisor.caller.call("size", [], REQUEST);
    await s.life.hello();
    await s.life.ready();
    await restarted;
    await s.life.send(FrameType.answers, [[1], 0, 0, [7]]);
    assert.equal(await call, 7, state);
    assert.equal(s.supervisor.caller.pending, 0);
  }
});

test("calls wait for a process that is started again after it has failed", async () => {
  const s = new Supervision({ restart: "never" });
  await (await s.up()).exit({ code: 1, signal: null });
  await assert.rejects(s.supervisor.caller.call("size", [], REQUEST), { code: "GONE" });
  void s.supervisor.restart();
  await settle();
  const call = s.supervisor.caller.call("size", [], REQUEST);
  await s.life.hello();
  await s.life.ready();
  await s.life.send(FrameType.answers, [[1], 0, 0, [7]]);
  assert.equal(await call, 7);
});

test("a replace() that waits for its turn does not start again what was stopped meanwhile", async () => {
  const s = new Supervision();
  void s.supervisor.start();
  await settle();
  await s.life.hello();
  const replaced = s.supervisor.replace("reload");
  await settle();
  const stopped = s.supervisor.stop();
  await s.life.exit({ code: 0, signal: null });
  await stopped;
  assert.equal(await replaced, false);
  assert.deepEqual([s.supervisor.state, s.runtime.spawned.length], ["stopped", 1]);
  assert.equal(s.runtime.clock.timers, 0);
});

test("replace() with other settings gives up a start that is under way, and one beside the old process", async () => {
  const s = new Supervision();
  void s.supervisor.start();
  await settle();
  const [first, spec] = [s.life, s.spec];
  await first.hello();
  const replaced = s.supervisor.replace("its settings have changed", { spec });
  await settle();
  assert.ok(first.received.some(({ text }) => text === '{"kind":"stop"}'));
  await first.exit({ code: 0, signal: null });
  const second = s.life;
  await second.hello();
  await second.ready();
  assert.equal(await replaced, true);
  const beside = s.supervisor.replace("its settings have changed", { spec });
  await settle();
  const third = s.life;
  await third.hello();
  const newest = s.supervisor.replace("its settings have changed", { spec });
  await settle();
  assert.ok(
    third.received.some(({ text }) => text === '{"kind":"stop"}'),
    "what it was made with is not wanted any more",
  );
  await third.exit({ code: 0, signal: null });
  assert.equal(await beside, false);
  await s.life.hello();
  await s.life.ready();
  await second.exit({ code: 0, signal: null });
  assert.equal(await newest, true);
  assert.deepEqual([s.supervisor.state, s.runtime.spawned.length], ["ready", 4]);
});

test("a call that is made right after restart() goes to the new process", async () => {
  const s = new Supervision();
  const old = await s.up();
  const restarted = s.supervisor.restart();
  const call = s.supervisor.caller.call("size", [], REQUEST);
  await settle();
  assert.equal(old.received.some(({ type }) => type === FrameType.calls), false);
  await old.exit({ code: 0, signal: null });
  await s.life.hello();
  await s.life.ready();
  await restarted;
  await s.life.send(FrameType.answers, [[1], 0, 0, [7]]);
  assert.equal(await call, 7);
});
