import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { FakeBroker, wasAsked } from "../broker/fake_broker.ts";
import { settle } from "../manual_clock.ts";
import { type FakeProcess, Supervision } from "./fake_process.ts";

const REQUEST = { target: "sla", timeoutMs: 60_000, retry: "never" } as const;
const CLEAN = { code: 0, signal: null };
const KILLED = { code: null, signal: "SIGTERM" };

async function signal(life: FakeProcess, signal = "SIGTERM"): Promise<void> {
  await life.send(FrameType.notice, { kind: "signal", signal });
}

function stops(life: FakeProcess): string[] {
  return life.received.flatMap(({ text }) => text.startsWith('{"kind":"stop"') ? [text] : []);
}

test("a process that alone was sent a signal drains after 250 ms, ends by the signal, and its policy decides", async () => {
  const s = new Supervision();
  const life = await s.up();
  const running = s.supervisor.caller.call("size", [], REQUEST);
  await settle();
  await signal(life);
  await s.advance(249);
  assert.deepEqual([stops(life), s.supervisor.state], [[], "ready"]);
  await s.advance(1);
  assert.deepEqual([stops(life), s.supervisor.state], [['{"kind":"stop","signal":"SIGTERM"}'], "draining"]);
  const waiting = s.supervisor.caller.call("size", [], REQUEST);
  await life.send(FrameType.answers, [[1], 0, 0, ["drained"]]);
  assert.equal(await running, "drained");
  await life.exit(KILLED);
  assert.equal(s.supervisor.state, "backoff", "at once: nobody else can have been meant");
  await s.advance(0);
  await s.life.hello();
  await s.life.ready();
  await s.life.send(FrameType.answers, [[1], 0, 0, ["next"]]);
  assert.equal(await waiting, "next");
  assert.deepEqual(s.lines().filter((line) => line.startsWith("sla ")).slice(2, 5), [
    "sla is stopping (pid 100)",
    "sla ended unexpectedly (pid 100, exit code none, signal SIGTERM): process was killed by SIGTERM",
    "sla will be started again in 0s (restarts so far: 1)",
  ]);
  const stopped = s.supervisor.stop();
  await s.life.exit(CLEAN);
  await stopped;
  assert.equal(s.runtime.clock.timers, 0);
});

test("a process that does not drain after its signal is ended as by a stop", async () => {
  const s = new Supervision({ drainMs: 1_000, killMs: 500, restart: "never" });
  const life = await s.up();
  await signal(life, "SIGINT");
  await s.advance(250 + 1_000 + 500);
  assert.deepEqual(life.signals, ["SIGTERM", "SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  assert.equal(s.supervisor.state, "failed");
  assert.equal(s.runtime.clock.timers, 0);
});

test("a stop after the signal of a process is the end of it, within 250 ms and later", async () => {
  for (const after of [100, 300]) {
    const s = new Supervision();
    const life = await s.up();
    await signal(life);
    await s.advance(after);
    const stopped = s.supervisor.stop();
    await settle();
    assert.equal(stops(life).length, 1);
    await life.exit(after === 100 ? CLEAN : KILLED);
    await stopped;
    assert.equal(s.supervisor.state, "stopped");
    assert.match(s.lines().at(-2) ?? "", /^sla ended as asked/);
    assert.equal(s.runtime.clock.timers, 0);
  }
});

test("a process that a signal ends is judged after 250 ms, and what it was asked is gone at once", async () => {
  const s = new Supervision();
  const life = await s.up();
  const running = assert.rejects(s.supervisor.caller.call("size", [], REQUEST), { code: "GONE" });
  await settle();
  await life.exit(KILLED);
  await running;
  await s.advance(249);
  assert.equal(s.runtime.spawned.length, 1);
  await s.advance(1);
  assert.equal(s.runtime.spawned.length, 2);
  assert.match(s.lines()[3] ?? "", /^sla ended unexpectedly \(pid 100, exit code none, signal SIGTERM\)/);
});

test("a broker that is stopped within 250 ms of a signal to all of its processes restarts none and drains those that wait", async () => {
  const broker = new FakeBroker({ a: {}, waits: {}, ended: {}, late: { restart: "always" } });
  const start = broker.core.start();
  await settle();
  await broker.up("a", "waits", "ended", "late");
  await start;
  await signal(broker.life("waits"));
  await broker.life("ended").exit(KILLED);
  await broker.runtime.clock.advance(200);
  const stopped = broker.core.stop();
  await settle();
  assert.equal(wasAsked(broker.life("late")), true, "the last one started is the first");
  await broker.runtime.clock.advance(1_000);
  assert.deepEqual([wasAsked(broker.life("waits")), wasAsked(broker.life("a"))], [false, false]);
  await broker.life("late").exit(CLEAN);
  assert.deepEqual(stops(broker.life("waits")), ['{"kind":"stop"}']);
  await broker.life("a").exit({ code: 143, signal: null });
  await broker.life("waits").exit(CLEAN);
  await stopped;
  assert.equal(broker.runtime.spawned.length, 4);
  assert.deepEqual(broker.told("process.backoff"), []);
  assert.deepEqual(broker.told("process.exited").filter((line) => !line.includes("ended as asked")), []);
  assert.deepEqual(await broker.states(), ["a stopped", "waits stopped", "ended stopped", "late stopped"]);
  assert.equal(broker.runtime.clock.timers, 0);
});

test("a process that crashes while its broker stops is no part of that, and one that waits still serves", async () => {
  const broker = new FakeBroker({ store: {}, other: {}, api: {} });
  const start = broker.core.start();
  await settle();
  await broker.up("store", "other", "api");
  await start;
  for (const name of ["store", "api"]) await signal(broker.life(name));
  const stopped = broker.core.stop();
  await settle();
  const call = broker.core.call("store", "x");
  await settle();
  await broker.life("store").send(FrameType.answers, [[1], 0, 0, ["served"]]);
  assert.equal(await call, "served");
  await broker.life("other").exit({ code: 3, signal: null });
  assert.match(broker.told("process.exited")[0] ?? "", /^other ended unexpectedly .*exit code 3/);
  await broker.life("api").exit(CLEAN);
  await broker.down("other");
  await broker.down("store");
  await stopped;
});
