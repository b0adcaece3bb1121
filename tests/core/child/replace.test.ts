import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { type FakeProcess, Supervision } from "./fake_process.ts";

const REQUEST = { target: "sla", timeoutMs: 60_000, retry: "never" } as const;
const UNKNOWN = { pssBytes: null, privateBytes: null, heapBytes: null, openFiles: null };
const CLEAN = { code: 0, signal: null };

function calls(life: FakeProcess): number {
  return life.received.filter(({ type }) => type === FrameType.calls).length;
}

function wasAsked(life: FakeProcess): boolean {
  return life.received.some(({ text }) => text === '{"kind":"stop"}');
}

test("replace() starts the new process, switches when it is ready, and then drains the old one", async () => {
  const s = new Supervision();
  const old = await s.up();
  const running = s.supervisor.caller.call("size", [], REQUEST);
  const replaced = s.supervisor.replace("reload");
  await settle();
  const fresh = s.life;
  assert.notEqual(fresh, old);
  assert.equal(s.supervisor.state, "ready", "the old one serves meanwhile");
  await fresh.hello();
  const early = s.supervisor.caller.call("size", [], REQUEST);
  await settle();
  assert.deepEqual([calls(old), calls(fresh), wasAsked(old)], [2, 0, false]);
  await fresh.ready();
  assert.equal(wasAsked(old), true);
  const late = s.supervisor.caller.call("size", [], REQUEST);
  await settle();
  assert.deepEqual([calls(old), calls(fresh)], [2, 1]);
  await old.send(FrameType.answers, [[1, 2], 0, 0, ["old", "old"]]);
  await fresh.send(FrameType.answers, [[1], 0, 0, ["new"]]);
  assert.deepEqual(await Promise.all([running, early, late]), ["old", "old", "new"]);
  await old.exit(CLEAN);
  assert.equal(await replaced, true);
  assert.equal((await s.supervisor.status()).restarts, 1);
  assert.deepEqual(s.lines().slice(2).filter((line) => line.startsWith("sla ")), [
    "sla is being replaced (pid 100): reload",
    "sla is starting (generation 2)",
    "sla is ready after 0.000s (pid 101)",
    "sla was replaced in 0.000s (pid 101 after pid 100)",
    "sla is stopping (pid 100)",
    "sla ended as asked (pid 100, exit code 0, signal none): process exited with code 0",
  ]);
});

test("a call that still runs in the old process when that is killed is gone, and no other", async () => {
  const s = new Supervision({ drainMs: 1_000, killMs: 500 });
  const old = await s.up();
  const running = assert.rejects(s.supervisor.caller.call("size", [], REQUEST), { code: "GONE" });
  const replaced = s.supervisor.replace("reload");
  await settle();
  const fresh = s.life;
  await fresh.hello();
  await fresh.ready();
  const other = s.supervisor.caller.call("size", [], REQUEST);
  await s.advance(1_500);
  assert.deepEqual(old.signals, ["SIGTERM", "SIGKILL"]);
  await old.exit({ code: null, signal: "SIGKILL" });
  await running;
  await replaced;
  await fresh.send(FrameType.answers, [[1], 0, 0, ["new"]]);
  assert.equal(await other, "new");
  assert.equal(s.supervisor.state, "ready");
});

test("the old process stays where the new one fails, and a line says so", async () => {
  const s = new Supervision();
  const old = await s.up();
  const replaced = s.supervisor.replace("reload");
  await settle();
  await s.life.hello();
  await s.life.exit({ code: 3, signal: null });
  assert.equal(await replaced, false);
  assert.equal(s.supervisor.state, "ready");
  assert.equal(wasAsked(old), false);
  assert.equal(
    s.lines().at(-1),
    "sla could not be replaced and goes on (pid 100): process exited with code 3",
  );
  const call = s.supervisor.caller.call("size", [], REQUEST);
  await settle();
  await old.send(FrameType.answers, [[1], 0, 0, ["old"]]);
  assert.equal(await call, "old");
  assert.equal((await s.supervisor.status()).restarts, 0);
});

test("where the old process crashes meanwhile, the new one takes its place, and calls that wait go there", async () => {
  const s = new Supervision();
  const old = await s.up();
  const replaced = s.supervisor.replace("reload");
  await settle();
  const fresh = s.life;
  await fresh.hello();
  await old.exit({ code: 1, signal: null });
  assert.equal(s.supervisor.state, "cleaning");
  assert.equal(s.runtime.spawned.length, 2);
  const call = s.supervisor.caller.call("size", [], REQUEST);
  await fresh.ready();
  await fresh.send(FrameType.answers, [[1], 0, 0, ["new"]]);
  assert.equal(await call, "new");
  assert.equal(await replaced, true);
  assert.equal(s.supervisor.state, "ready");
});

test("stop() during a replacement ends both processes", async () => {
  const s = new Supervision();
  const old = await s.up();
  const replaced = s.supervisor.replace("reload");
  await settle();
  const fresh = s.life;
  await fresh.hello();
  const stopped = s.supervisor.stop();
  await settle();
  assert.deepEqual([wasAsked(old), wasAsked(fresh)], [true, true]);
  await old.exit(CLEAN);
  await fresh.exit(CLEAN);
  await stopped;
  assert.equal(await replaced, false);
  assert.equal(s.supervisor.state, "stopped");
  assert.equal(s.runtime.clock.timers, 0);
});

test("stop() after the switch waits for the old process too", async () => {
  const s = new Supervision();
  const old = await s.up();
  const replaced = s.supervisor.replace("reload");
  await settle();
  const fresh = s.life;
  await fresh.hello();
  await fresh.ready();
  let isStopped = false;
  const stopped = s.supervisor.stop().then(() => isStopped = true);
  await fresh.exit(CLEAN);
  assert.equal(isStopped, false);
  await old.exit(CLEAN);
  await Promise.all([stopped, replaced]);
  assert.equal(s.runtime.clock.timers, 0);
});

test("a process that is not there is started by replace()", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  await life.exit({ code: 1, signal: null });
  const replaced = s.supervisor.replace("reload");
  await settle();
  await s.life.hello();
  await s.life.ready();
  assert.equal(await replaced, true);
  assert.equal(s.supervisor.state, "ready");
});

test("two replacements come one after the other", async () => {
  const s = new Supervision();
  const first = await s.up();
  const both = Promise.all([s.supervisor.replace("reload"), s.supervisor.replace("reload")]);
  await settle();
  assert.equal(s.runtime.spawned.length, 2);
  const second = s.life;
  await second.hello();
  await second.ready();
  await first.exit(CLEAN);
  assert.equal(s.runtime.spawned.length, 3);
  await s.life.hello();
  await s.life.ready();
  await second.exit(CLEAN);
  assert.deepEqual(await both, [true, true]);
});

test("a process over recycleBytes is replaced between calls, and over warnBytes said once", async () => {
  const s = new Supervision({ memory: { warnBytes: 100, recycleBytes: 1_000, checkMs: 10_000 } });
  const figures = (privateBytes: number) => s.runtime.figures = [{ ...UNKNOWN, privateBytes }];
  figures(100);
  const old = await s.up();
  await s.advance(10_000);
  assert.equal(s.lines().length, 2);
  figures(101);
  await s.advance(20_000);
  assert.deepEqual(s.lines().slice(2), ["sla holds 0.0 MiB, more than 0.0 MiB (pid 100)"]);
  figures(1_001);
  const running = s.supervisor.caller.call("size", [], REQUEST);
  await s.advance(10_000);
  const fresh = s.life;
  assert.notEqual(fresh, old);
  figures(10);
  await fresh.hello();
  await fresh.ready();
  await s.advance(20_000);
  assert.equal(wasAsked(old), false, "never in the middle of a call");
  await old.send(FrameType.answers, [[1], 0, 0, ["old"]]);
  assert.equal(await running, "old");
  await s.advance(100);
  assert.equal(wasAsked(old), true);
  await old.exit(CLEAN);
  assert.equal(s.supervisor.state, "ready");
  assert.equal(s.runtime.spawned.length, 2);
});

test("a process over warnBytes at its first look is said at once, and again when it was under them in between", async () => {
  const s = new Supervision({ memory: { warnBytes: 100, checkMs: 10_000 } });
  const figures = (privateBytes: number) => s.runtime.figures = [{ ...UNKNOWN, privateBytes }];
  figures(5 * 1024 * 1024);
  await s.up();
  await s.advance(9_999);
  assert.equal(s.lines().length, 2);
  await s.advance(1);
  const over = "sla holds 5.0 MiB, more than 0.0 MiB (pid 100)";
  assert.deepEqual(s.lines().slice(2), [over]);
  await s.advance(50_000);
  assert.deepEqual(s.lines().slice(2), [over], "once");
  figures(100);
  await s.advance(10_000);
  figures(5 * 1024 * 1024);
  await s.advance(10_000);
  assert.deepEqual(s.lines().slice(2), [over, over]);
  assert.equal(s.runtime.spawned.length, 1);
});

test("memory that the system can't tell is no reason for anything", async () => {
  const s = new Supervision({ memory: { warnBytes: 1, recycleBytes: 1, checkMs: 1_000 } });
  s.runtime.figures = [UNKNOWN];
  await s.up();
  await s.advance(5_000);
  assert.equal(s.lines().length, 2);
  assert.equal(s.runtime.spawned.length, 1);
});

test("a replacement that is patient with the old process' calls is so only until another one waits", async () => {
  const s = new Supervision();
  const old = await s.up();
  const running = assert.rejects(s.supervisor.caller.call("size", [], REQUEST), { code: "GONE" });
  void s.supervisor.replace("it holds too much", { patient: true });
  await settle();
  await s.life.hello();
  await s.life.ready();
  await s.advance(60_000 - 1_000);
  assert.equal(wasAsked(old), false);
  void s.supervisor.replace("reload");
  await s.advance(100);
  assert.equal(wasAsked(old), true);
  await old.exit(CLEAN);
  await running;
  assert.equal(s.runtime.spawned.length, 3);
});

test("a spec that comes into force while the process is replaced holds for the one after", async () => {
  const s = new Supervision();
  const old = await s.up();
  const replaced = s.supervisor.replace("it holds too much");
  await settle();
  s.supervisor.follow({ ...s.spec, env: () => ({ NEW: "1" }) });
  await s.life.hello();
  await s.life.ready();
  await old.exit(CLEAN);
  assert.equal(await replaced, true);
  const restarted = s.supervisor.restart();
  await settle();
  await s.life.exit(CLEAN);
  assert.deepEqual(s.life.env, { NEW: "1" });
  await s.life.hello();
  await s.life.ready();
  await restarted;
});
