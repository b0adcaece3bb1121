import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { type FakeProcess, Supervision } from "./fake_process.ts";

async function cleaning(s: Supervision, ...owners: (string | null)[]): Promise<FakeProcess> {
  void s.supervisor.start();
  await settle();
  await s.life.hello();
  for (const owner of owners) await s.life.send(FrameType.notice, { kind: "cleaning", owner });
  return s.life;
}

test("a process that ends in a module's cleanup has that module in its reason", async () => {
  for (
    const [status, how] of [
      [{ code: 0, signal: null }, "process exited with code 0"],
      [{ code: null, signal: "SIGSEGV" }, "process was killed by SIGSEGV"],
    ] as const
  ) {
    const s = new Supervision({ restart: "never" });
    const life = await cleaning(s, "WebUI", "sla");
    await life.exit(status);
    assert.match(s.lines().at(-2) ?? "", /^sla ended unexpectedly/);
    assert.ok(s.lines().at(-2)?.endsWith(`: ${how} in the cleanup of module "sla"`), s.lines().at(-2));
    assert.equal(s.runtime.clock.timers, 0);
  }
});

test("a process that ends after the last cleanup has no module in its reason", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await cleaning(s, "WebUI", null);
  await life.exit({ code: 1, signal: null });
  assert.ok(s.lines().at(-2)?.endsWith(": process exited with code 1"), s.lines().at(-2));
  assert.equal(s.runtime.clock.timers, 0);
});

test("a process that a module's cleanup blocks is killed 5 s after the cleanup's deadline, each module's anew", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await cleaning(s, "WebUI");
  await s.advance(9_999);
  await life.send(FrameType.notice, { kind: "cleaning", owner: "sla" });
  await s.advance(9_999);
  assert.deepEqual(life.signals, []);
  await s.advance(1);
  assert.deepEqual(life.signals, ["SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  const why = 'cleanup of module "sla" blocked the process for 10s';
  assert.ok(s.lines().at(-2)?.endsWith(`: ${why}`), s.lines().at(-2));
  assert.match(s.lines().at(-1) ?? "", /^sla will not be started again: cleanup of module "sla" blocked/);
  assert.equal(s.runtime.clock.timers, 0);
});

test("the time in which the process had no processor does not count for a cleanup, what was before it only once", async () => {
  const s = new Supervision({ restart: "never" });
  s.runtime.waited = 60_000;
  const life = await cleaning(s, "WebUI");
  await s.advance(10_000);
  s.runtime.waited += 3_000;
  await s.advance(10_000);
  await s.advance(2_999);
  assert.deepEqual(life.signals, []);
  await s.advance(1);
  assert.deepEqual(life.signals, ["SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  assert.equal(s.runtime.clock.timers, 0);
});

test("the time in which the broker itself stood still does not count for a cleanup", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await cleaning(s, "WebUI");
  s.runtime.clock.standStill(60_000);
  await s.advance(0);
  await life.send(FrameType.notice, { kind: "cleaning", owner: null });
  await s.advance(60_000);
  assert.deepEqual(life.signals, []);
});

test("a process that is cleaned may take its time to start", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await cleaning(s, "WebUI", null);
  await s.advance(60_000);
  assert.deepEqual(life.signals, []);
  await life.ready();
  assert.equal(s.supervisor.state, "ready");
});

test("a cleaning notice without its owner is refused", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await cleaning(s);
  await life.send(FrameType.notice, { kind: "cleaning" });
  assert.match(s.lines().at(-1) ?? "", /dropped 1 frame \(a notice "cleaning" without owner/);
});
