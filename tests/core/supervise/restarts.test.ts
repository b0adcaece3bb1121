import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCall } from "../../../src/core/call/make_call.ts";
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
    assert.deepEqual([s.runtime.spawned.length, s.supervised.state], [spawned, state], policy);
  }
});

test("restart() of a process that has failed starts it anew, with as many restarts as the first time", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  await life.exit({ code: 1, signal: null });
  assert.equal(s.supervised.state, "failed");
  const restarted = s.supervised.restart();
  await settle();
  await s.life.hello();
  await s.life.ready();
  await restarted;
  assert.equal(s.supervised.state, "ready");
  assert.equal((await s.supervised.status()).restarts, 1);
});

test("restart() of a process that is being restarted waits for the same start", async () => {
  const s = new Supervision();
  await s.up();
  const both = Promise.all([s.supervised.restart(), s.supervised.restart()]);
  await s.life.exit({ code: 0, signal: null });
  await settle();
  await s.life.hello();
  await s.life.ready();
  await both;
  assert.equal(s.supervised.state, "ready");
  assert.equal(s.runtime.spawned.length, 2);
});

test("stop() while a process is being restarted is the end of it, and of the calls that wait", async () => {
  const s = new Supervision();
  await s.up();
  const restarted = s.supervised.restart();
  const stopped = s.supervised.stop();
  await s.life.exit({ code: 0, signal: null });
  await Promise.all([restarted, stopped]);
  assert.equal(s.supervised.state, "stopped");
  assert.equal(s.runtime.spawned.length, 1);
  await assert.rejects(makeCall(s.supervised.caller, "size", [], REQUEST), /process was stopped/);
  assert.equal(s.runtime.clock.timers, 0);
});

test("restarts come at once, then after pauses that grow, and the line and the status tell the real pause", async () => {
  const s = new Supervision({ restart: { policy: "always", delayMs: 100, maxDelayMs: 150 } });
  await s.up();
  for (const pause of [0, 100, 150]) {
    await s.life.exit({ code: 0, signal: null });
    assert.equal(s.supervised.state, "backoff");
    assert.equal((await s.supervised.status()).nextRestartMs, pause);
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
    assert.equal((await s.supervised.status()).nextRestartMs, null);
  }
});

test("stop() during the pause before a restart is the end, and no timer stays", async () => {
  const s = new Supervision({ restart: "always" });
  const life = await s.up();
  await life.exit({ code: 0, signal: null });
  await s.supervised.stop();
  assert.equal(s.supervised.state, "stopped");
  assert.equal(s.runtime.clock.timers, 0);
  assert.equal(s.runtime.spawned.length, 1);
});

test("a start that can never succeed fails at once, whatever the policy", async () => {
  const s = new Supervision({ restart: "always" });
  s.runtime.refuse = Object.assign(new Error("Cannot start a process: Requires run access"), { lasting: true });
  await s.supervised.start();
  assert.equal(s.supervised.state, "failed");
  assert.match(s.lines().at(-1) ?? "", /^sla will not be started again: Cannot start a process: Requires run access;/);
  assert.equal(s.runtime.clock.timers, 0);
});

test("a start that fails otherwise is tried again", async () => {
  const s = new Supervision();
  s.runtime.refuse = new Error("too many files are open");
  void s.supervised.start();
  await settle();
  assert.equal(s.supervised.state, "backoff");
  s.runtime.refuse = undefined;
  await s.advance(0);
  await s.life.hello();
  await s.life.ready();
  assert.equal(s.supervised.state, "ready");
});
