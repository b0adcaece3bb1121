import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { type FakeProcess, Supervision } from "./fake_process.ts";

const HEARTBEAT = { intervalMs: 5_000, timeoutMs: 15_000 };

function pings(life: FakeProcess): number {
  return life.received.filter(({ type }) => type === FrameType.ping).length;
}

test("a process is asked for a sign of life only when it was silent for intervalMs", async () => {
  const s = new Supervision({ heartbeat: HEARTBEAT });
  const life = await s.up();
  for (let second = 0; second < 20; second++) {
    await s.advance(1_000);
    await life.send(FrameType.notice, { kind: "status", request: 1, workers: [] });
  }
  assert.equal(pings(life), 0);
  await s.advance(5_000);
  assert.equal(pings(life), 1);
  await s.advance(50_000);
  assert.equal(pings(life), 6, "one is enough until the next silence");
  assert.deepEqual(s.lines().filter((line) => line.includes("sign")), []);
});

test("a process is asked after half of timeoutMs at the latest, so that it has as long for its answer", async () => {
  const s = new Supervision({ heartbeat: { intervalMs: 5_000, timeoutMs: 6_000 } });
  const life = await s.up();
  await s.advance(2_999);
  assert.equal(pings(life), 0);
  await s.advance(1);
  assert.equal(pings(life), 1);
});

test("a process that is silent for timeoutMs is blocked, said once, until it answers", async () => {
  const s = new Supervision({ heartbeat: HEARTBEAT });
  const life = await s.up();
  life.isStopped = true;
  await s.advance(14_999);
  assert.equal((await s.supervisor.status()).blocked, false);
  await s.advance(1);
  assert.equal((await s.supervisor.status()).blocked, true);
  await s.advance(60_000);
  assert.deepEqual(s.lines().slice(-1), ["sla is blocked: no sign of life for 15.000s (pid 100)"]);
  assert.deepEqual(life.signals, []);
  life.isStopped = false;
  await life.send(FrameType.pong, 1);
  assert.equal((await s.supervisor.status()).blocked, false);
  assert.equal(s.lines().at(-1), "sla gives signs of life again after 75.000s (pid 100)");
  await s.advance(60_000);
  assert.equal(s.lines().at(-1), "sla gives signs of life again after 75.000s (pid 100)");
});

test("a process that has no processor is not blocked: the time in which it waits for one does not count", async () => {
  const s = new Supervision({ heartbeat: HEARTBEAT });
  s.runtime.waited = 60_000;
  const life = await s.up();
  life.isStopped = true;
  await s.advance(5_000);
  s.runtime.waited += 8_000;
  await s.advance(10_000);
  s.runtime.waited += 2_000;
  await s.advance(8_000);
  await s.advance(1_999);
  assert.deepEqual(s.lines().filter((line) => line.includes("sign")), []);
  await s.advance(1);
  assert.equal(s.lines().at(-1), "sla is blocked: no sign of life for 25.000s (pid 100)");
});

test("a process that has no processor and answers late was never blocked", async () => {
  const s = new Supervision({ heartbeat: { ...HEARTBEAT, onBlocked: "restart" } });
  const life = await s.up();
  life.isStopped = true;
  await s.advance(5_000);
  s.runtime.waited += 10_000;
  await s.advance(10_000);
  life.isStopped = false;
  await life.send(FrameType.pong, 1);
  await s.advance(60_000);
  assert.deepEqual(s.lines().filter((line) => line.includes("sign")), []);
  assert.deepEqual(life.signals, []);
});

test("with onBlocked restart a process that is blocked is killed, and its restart policy decides", async () => {
  const s = new Supervision({ heartbeat: { ...HEARTBEAT, onBlocked: "restart" } });
  const life = await s.up();
  life.isStopped = true;
  await s.advance(15_000);
  assert.deepEqual(life.signals, ["SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  await s.advance(0);
  assert.equal(s.runtime.spawned.length, 2);
  assert.ok(s.lines().includes("sla was sent SIGKILL (pid 100): process gave no sign of life for 15s"));
});

test("a process that blocks before it is ready is killed, so that nobody waits for it for ever", async () => {
  const s = new Supervision({ heartbeat: HEARTBEAT, restart: "never" });
  void s.supervisor.start();
  await settle();
  await s.life.hello();
  s.life.isStopped = true;
  await s.advance(15_000);
  assert.deepEqual(s.life.signals, ["SIGKILL"]);
});

test("a broker that stood still calls nobody blocked before it has asked once more", async () => {
  const s = new Supervision({ heartbeat: { ...HEARTBEAT, onBlocked: "restart" } });
  const life = await s.up();
  life.isStopped = true;
  await s.advance(5_000);
  assert.equal(pings(life), 1);
  s.runtime.clock.standStill(3_600_000);
  life.isStopped = false;
  await s.advance(60_000);
  assert.deepEqual(life.signals, []);
  life.isStopped = true;
  await s.advance(60_000);
  assert.deepEqual(life.signals, ["SIGKILL"], "but one that does not answer is");
});

test("the heartbeat ends with the process, and with its drain", async () => {
  const s = new Supervision({ heartbeat: HEARTBEAT });
  const life = await s.up();
  const stopped = s.supervisor.stop();
  await settle();
  assert.equal(s.runtime.clock.timers, 1, "the drain's own deadline");
  await life.exit({ code: 0, signal: null });
  await stopped;
  assert.equal(s.runtime.clock.timers, 0);
});
