import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { Supervision } from "./fake_process.ts";

const REQUEST = { target: "sla", timeoutMs: 1_000, retry: "once" } as const;

test("a process goes from starting over cleaning to ready, and answers the hello with a hello first", async () => {
  const s = new Supervision();
  void s.supervisor.start();
  await settle();
  assert.equal(s.supervisor.state, "starting");
  await s.life.hello();
  assert.equal(s.supervisor.state, "cleaning");
  await s.life.ready();
  assert.equal(s.supervisor.state, "ready");
  assert.equal(s.life.received[0]?.type, FrameType.hello);
  assert.deepEqual(s.lines(), ["sla is starting (generation 1)", "sla is ready after 0.000s (pid 100)"]);
});

test("a process that never says hello is killed after 10 s, five restarts later it has failed and says why", async () => {
  const s = new Supervision();
  void s.supervisor.start();
  for (const pause of [0, 100, 200, 400, 800, 0]) {
    await settle();
    await s.advance(10_000);
    assert.deepEqual(s.life.signals, ["SIGKILL"]);
    await s.life.exit({ code: null, signal: "SIGKILL" });
    await s.advance(pause);
  }
  assert.equal(s.runtime.spawned.length, 6);
  assert.equal(s.supervisor.state, "failed");
  assert.equal(
    s.lines().at(-1),
    'sla will not be started again: process did not reach Broker.start({ name: "broker-master" }) in 10s, ' +
      'and it was restarted too often; what to do: mend the cause, then run "brokkr restart sla"',
  );
  assert.equal(s.runtime.clock.timers, 0);
});

test("a hello of another protocol is refused with both versions in the text, on both sides", async () => {
  const s = new Supervision({ restart: "never" });
  void s.supervisor.start();
  await settle();
  await s.life.hello(99);
  const close = s.life.received.find(({ type }) => type === FrameType.close)?.text ?? "";
  assert.match(close, /it speaks protocol 99 \(brokkr [\d.]+\) and this is protocol 1 \(brokkr [\d.]+\)/);
  assert.deepEqual(s.life.signals, ["SIGKILL"]);
  await s.life.exit({ code: null, signal: "SIGKILL" });
  assert.equal(s.supervisor.state, "failed");
  assert.match(s.lines().at(-1) ?? "", /protocol 99/);
});

test("frames before the hello are refused, and three of them end the process", async () => {
  const s = new Supervision({ restart: "never" });
  void s.supervisor.start();
  await settle();
  for (let frame = 0; frame < 3; frame++) await s.life.send(FrameType.answers, [[1], 0, 0, [null]]);
  assert.deepEqual(s.life.signals, ["SIGKILL"]);
  assert.equal(s.lines().filter((line) => line.includes("a frame came before the hello")).length, 3);
});

test("a process that closes its channel and goes on is killed after 1 s, with that as the reason", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  life.link.close(null);
  await settle();
  await s.advance(999);
  assert.deepEqual(life.signals, []);
  await s.advance(1);
  assert.deepEqual(life.signals, ["SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  assert.match(s.lines().at(-1) ?? "", /^sla will not be started again: process closed its channel and went on;/);
});

test("a broker that had no time to listen takes no process for one that goes on without its channel", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  life.link.close(null);
  await settle();
  s.runtime.clock.standStill(60_000);
  await s.advance(0);
  assert.deepEqual(life.signals, []);
  await life.exit({ code: null, signal: "SIGKILL" });
  assert.match(s.lines().at(-1) ?? "", /^sla will not be started again: process was killed by SIGKILL;/);
});

test("a write that meets the end of a process that was asked to stop makes that end no unexpected one", async () => {
  const s = new Supervision();
  const life = await s.up();
  const stopped = s.supervisor.stop();
  await settle();
  life.parentsEnd.fail("Cannot write to the channel: the other side is gone");
  await settle();
  assert.deepEqual(life.signals, []);
  await life.exit({ code: 0, signal: null });
  await stopped;
  assert.deepEqual(s.lines().slice(-3), [
    "sla is stopping (pid 100)",
    "sla ended as asked (pid 100, exit code 0, signal none): process exited with code 0",
    "sla stopped in 0.000s",
  ]);
});

test("a write that meets the end of a process that was killed leaves the exit as the reason, and sends no signal", async () => {
  for (const exitFirst of [false, true]) {
    const s = new Supervision({ restart: "never" });
    const life = await s.up();
    const meets = () => life.parentsEnd.fail("Broken pipe (os error 32)");
    if (!exitFirst) meets();
    await settle();
    const ended = life.exit({ code: null, signal: "SIGKILL" });
    if (exitFirst) meets();
    await ended;
    await settle();
    assert.deepEqual(life.signals, []);
    assert.deepEqual(s.lines().slice(-2), [
      "sla ended unexpectedly (pid 100, exit code none, signal SIGKILL): process was killed by SIGKILL",
      "sla will not be started again: process was killed by SIGKILL; what to do: mend the cause, then run " +
      '"brokkr restart sla"',
    ]);
  }
});

test("a process that was asked to stop, loses its channel and goes on is killed after 1 s, with the failure as the reason", async () => {
  const s = new Supervision({ drainMs: 9_000 });
  const life = await s.up();
  const stopped = s.supervisor.stop();
  await settle();
  life.parentsEnd.fail("the other side is gone");
  await s.advance(999);
  assert.deepEqual(life.signals, []);
  await s.advance(1);
  assert.deepEqual(life.signals, ["SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  await stopped;
  assert.equal(
    s.lines().at(-2),
    "sla ended unexpectedly (pid 100, exit code none, signal SIGKILL): the other side is gone",
  );
});

test("stop() asks, then sends SIGTERM, then SIGKILL, each after its own deadline, and the line says so", async () => {
  const s = new Supervision({ drainMs: 3_000, killMs: 1_000 });
  const life = await s.up();
  const stopped = s.supervisor.stop();
  await settle();
  assert.equal(s.supervisor.state, "draining");
  assert.ok(life.received.some(({ type, text }) => type === FrameType.notice && text === '{"kind":"stop"}'));
  await s.advance(3_000);
  assert.deepEqual(life.signals, ["SIGTERM"]);
  await s.advance(1_000);
  assert.deepEqual(life.signals, ["SIGTERM", "SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  await stopped;
  assert.equal(s.supervisor.state, "stopped");
  assert.deepEqual(s.lines().slice(-5), [
    "sla is stopping (pid 100)",
    "sla was sent SIGTERM (pid 100): process did not drain in 3s",
    "sla was sent SIGKILL (pid 100): process did not end in 1s after SIGTERM",
    "sla ended unexpectedly (pid 100, exit code none, signal SIGKILL): process did not drain in 3s",
    "sla stopped in 4.000s",
  ]);
  assert.equal(s.runtime.clock.timers, 0);
});

test("a process that was told to stop before its hello is told again after it", async () => {
  const s = new Supervision();
  void s.supervisor.start();
  await settle();
  const stopped = s.supervisor.stop();
  await s.life.hello();
  assert.ok(s.life.received.some(({ text }) => text === '{"kind":"stop"}'));
  await s.life.exit({ code: 0, signal: null });
  await stopped;
  assert.equal(s.runtime.clock.timers, 0);
});

test("a call that runs when the process ends is gone, one that waits goes to the next life", async () => {
  const s = new Supervision();
  const life = await s.up();
  const running = s.supervisor.caller.call("size", [], REQUEST);
  await settle();
  life.print("disk is full\n");
  const gone = assert.rejects(running, (error: { code?: string; exitCode?: number; lastLines?: string[] }) => {
    assert.deepEqual([error.code, error.exitCode, error.lastLines], ["GONE", 3, ["disk is full"]]);
    return true;
  });
  await life.exit({ code: 3, signal: null });
  await gone;
  const waiting = s.supervisor.caller.call("size", [], REQUEST);
  await s.advance(0);
  assert.notEqual(s.life, life);
  await s.life.hello();
  await s.life.ready();
  assert.ok(s.life.received.some(({ type }) => type === FrameType.calls));
  await s.life.send(FrameType.answers, [[1], 0, 0, [100]]);
  assert.equal(await waiting, 100);
});

for (
  const [what, ms] of [["49 ms after", 49], ["50 ms after", 50], ["with", 0]] as const
) {
  const isInTime = ms < 50;
  test(`an answer that comes ${what} the exit of its process is ${isInTime ? "" : "not "}its call's`, async () => {
    const s = new Supervision({ restart: "never" });
    const life = await s.up();
    const call = s.supervisor.caller.call("size", [], REQUEST).catch((error: Error) => error.message);
    await settle();
    await life.exitSeen({ code: 9, signal: null });
    await s.advance(ms);
    await life.send(FrameType.answers, [[1], 0, 0, ["the answer"]]);
    life.link.close(null);
    await settle();
    assert.equal(s.supervisor.state, "failed", "the end of the channel is the last byte");
    const gone = 'Cannot call command "size" of module "sla": process exited with code 9';
    assert.equal(await call, isInTime ? "the answer" : gone);
    assert.equal(s.runtime.clock.timers, 0);
  });
}

test("deadlines begin anew when the broker itself stood still, so that nobody is killed for it", async () => {
  const s = new Supervision();
  void s.supervisor.start();
  await settle();
  s.runtime.clock.standStill(60_000);
  await s.advance(0);
  assert.deepEqual(s.life.signals, []);
  await s.life.hello();
  await s.life.ready();
  const stopped = s.supervisor.stop();
  s.runtime.clock.standStill(60_000);
  await s.advance(0);
  assert.deepEqual(s.life.signals, []);
  await s.life.exit({ code: 0, signal: null });
  await stopped;
  assert.equal(s.runtime.clock.timers, 0);
});

test("the time in which a new process had no processor does not count for its start, as often as it has none", async () => {
  const s = new Supervision({ restart: "never" });
  void s.supervisor.start();
  await settle();
  s.runtime.waited = 9_000;
  await s.advance(10_000);
  s.runtime.waited += 100;
  await s.advance(9_000);
  await s.advance(99);
  assert.deepEqual(s.life.signals, []);
  await s.advance(1);
  assert.deepEqual(s.life.signals, ["SIGKILL"]);
  await s.life.exit({ code: null, signal: "SIGKILL" });
  assert.match(s.lines().at(-1) ?? "", /^sla will not be started again: process did not reach .* in 10s;/);
  assert.equal(s.runtime.clock.timers, 0);
});

test("a process that is due to be killed before it is there is killed when it is", async () => {
  const s = new Supervision({ restart: "never" });
  const spawned = s.runtime.holdSpawn();
  void s.supervisor.start();
  await s.advance(10_000);
  spawned();
  await settle();
  assert.deepEqual(s.life.signals, ["SIGKILL"]);
  await s.life.exit({ code: null, signal: "SIGKILL" });
  assert.equal(s.supervisor.state, "failed");
});

test("what a process prints before its parent knows that it runs has its pid, and comes in order", async () => {
  const s = new Supervision();
  s.runtime.firstWords = "first\nsec";
  const life = await s.up();
  life.print("ond\n");
  await settle();
  assert.deepEqual(s.lines().filter((line) => line.includes("wrote")), [
    "sla wrote to stderr (pid 100): first",
    "sla wrote to stderr (pid 100): second",
  ]);
});

test("a process that handles nothing while it should drain gets SIGKILL at once: it would see no SIGTERM", async () => {
  const s = new Supervision({ drainMs: 3_000, killMs: 1_000 });
  const life = await s.up();
  await s.advance(1);
  life.isStopped = true;
  const stopped = s.supervisor.stop();
  await s.advance(3_001);
  assert.deepEqual(life.signals, ["SIGKILL"]);
  await life.exit({ code: null, signal: "SIGKILL" });
  await stopped;
  assert.equal(s.lines().at(-3), "sla was sent SIGKILL (pid 100): process did not drain in 3s");
  assert.equal(s.runtime.clock.timers, 0);
});
