import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import type { ControlFromChild, ControlFromParent } from "../../../src/core/wire/messages.ts";
import { LentPlaces, StartPlaces } from "../../../src/core/child/starts.ts";
import { BorrowedPlaces } from "../../../src/core/child/workers.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { SpawningRuntime, Supervision } from "./fake_process.ts";

const CLEAN = { code: 0, signal: null };

/** Starts that enter `starts` one after the other; what was admitted, and how each leaves. */
function entering(starts: StartPlaces) {
  const admitted: string[] = [];
  const enter = (name: string) => starts.enter(() => admitted.push(name));
  return { admitted, enter };
}

/** Supervised processes that share one queue, in one runtime. */
function together(places: number, settings: ConstructorParameters<typeof Supervision>[0][]) {
  const starts = new StartPlaces(places);
  const runtime = new SpawningRuntime();
  return { starts, runtime, all: settings.map((each) => new Supervision(each, { starts, runtime })) };
}

test("StartPlaces admits as many as it has places, and the others in their order as places are given back", () => {
  const { admitted, enter } = entering(new StartPlaces(2));
  const [first, second] = ["a", "b", "c", "d"].map(enter);
  assert.deepEqual(admitted, ["a", "b"]);
  second?.();
  assert.deepEqual(admitted, ["a", "b", "c"]);
  second?.();
  assert.deepEqual(admitted, ["a", "b", "c"], "a place is given back once");
  first?.();
  assert.deepEqual(admitted, ["a", "b", "c", "d"]);
});

test("a start that leaves the queue is not admitted, and has no place to give back", () => {
  const { admitted, enter } = entering(new StartPlaces(1));
  const [first, second] = ["a", "b", "c", "d"].map(enter);
  second?.();
  second?.();
  assert.deepEqual(admitted, ["a"]);
  first?.();
  assert.deepEqual(admitted, ["a", "c"]);
});

test("a higher limit admits at once, a lower one when enough places were given back", () => {
  const starts = new StartPlaces(1);
  const { admitted, enter } = entering(starts);
  const [first, second, third] = ["a", "b", "c", "d"].map(enter);
  starts.limit = 3;
  assert.deepEqual(admitted, ["a", "b", "c"]);
  starts.limit = 1;
  first?.();
  second?.();
  assert.deepEqual(admitted, ["a", "b", "c"]);
  third?.();
  assert.deepEqual(admitted, ["a", "b", "c", "d"]);
});

test("a process holds its place from the spawn to the end of its cleanup, not during its start hook", async () => {
  const { runtime, all: [one, two] } = together(1, [{}, {}]);
  assert.ok(one && two);
  void one.supervisor.start();
  void two.supervisor.start();
  await settle();
  assert.deepEqual([runtime.spawned.length, one.supervisor.state, two.supervisor.state], [1, "starting", "starting"]);
  assert.deepEqual([one.supervisor.isWaiting, two.supervisor.isWaiting], [false, true]);
  assert.equal((await two.supervisor.status()).pid, null);
  assert.deepEqual(two.lines(), []);
  const [first] = runtime.spawned;
  await first?.hello();
  await first?.send(FrameType.notice, { kind: "cleaning", owner: null });
  assert.equal(runtime.spawned.length, 1);
  await first?.cleaned();
  assert.equal(runtime.spawned.length, 2);
  assert.equal(one.supervisor.state, "cleaning", "its start hook runs");
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.ready();
  assert.equal(two.supervisor.state, "ready");
});

test("startTimeoutMs runs from the admission, and so does the time until a process is ready", async () => {
  const { runtime, all: [one, two] } = together(1, [{ startTimeoutMs: 60_000 }, { startTimeoutMs: 1_000 }]);
  assert.ok(one && two);
  void one.supervisor.start();
  void two.supervisor.start();
  await one.advance(30_000);
  await runtime.spawned[0]?.hello();
  await runtime.spawned[0]?.cleaned();
  await one.advance(999);
  assert.deepEqual(runtime.spawned[1]?.signals, []);
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.ready();
  assert.deepEqual(two.lines(), ["sla is starting (generation 1)", "sla is ready after 0.999s (pid 101)"]);
});

test("a process that waits and does not come up in time once it is admitted is killed", async () => {
  const { runtime, all: [one, two] } = together(1, [{}, { startTimeoutMs: 1_000, restart: "never" }]);
  assert.ok(one && two);
  void one.supervisor.start();
  void two.supervisor.start();
  await settle();
  await runtime.spawned[0]?.exit({ code: 1, signal: null });
  await one.advance(1_000);
  assert.deepEqual(runtime.spawned[1]?.signals, ["SIGKILL"]);
});

test("an end gives the place back at any time, and a restart waits for one again", async () => {
  const { runtime, all: [one, two, three] } = together(1, [{ restart: "always" }, {}, {}]);
  assert.ok(one && two && three);
  for (const each of [one, two, three]) void each.supervisor.start();
  await settle();
  await runtime.spawned[0]?.exit({ code: 1, signal: null });
  await one.advance(0);
  assert.deepEqual([one.supervisor.state, one.supervisor.isWaiting, runtime.spawned.length], ["starting", true, 2]);
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.cleaned();
  assert.deepEqual([one.supervisor.isWaiting, three.supervisor.isWaiting, runtime.spawned.length], [true, false, 3]);
  await runtime.spawned[2]?.exit({ code: 1, signal: null });
  assert.deepEqual([one.supervisor.isWaiting, runtime.spawned.length], [false, 4]);
});

test("a start that creates no process gives its place back", async () => {
  const { runtime, all: [one, two] } = together(1, [{ restart: "never" }, {}]);
  assert.ok(one && two);
  runtime.refuse = new Error("too many files are open");
  void one.supervisor.start();
  void two.supervisor.start();
  await settle();
  assert.equal(one.supervisor.state, "failed");
  runtime.refuse = undefined;
  await one.advance(0);
  await runtime.spawned[0]?.hello();
  await runtime.spawned[0]?.ready();
  assert.equal(two.supervisor.state, "ready");
});

test("stop() of a process that waits for its place ends it at once, without a line, and leaves the queue", async () => {
  const { runtime, all: [one, two, three] } = together(1, [{}, {}, {}]);
  assert.ok(one && two && three);
  for (const each of [one, two, three]) void each.supervisor.start();
  await settle();
  await two.supervisor.stop();
  assert.deepEqual([two.supervisor.state, two.lines()], ["stopped", []]);
  await runtime.spawned[0]?.hello();
  await runtime.spawned[0]?.cleaned();
  assert.deepEqual([runtime.spawned.length, three.supervisor.isWaiting], [2, false]);
  const restarted = two.supervisor.restart();
  await settle();
  assert.equal(two.supervisor.isWaiting, true);
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.cleaned();
  await runtime.spawned[2]?.hello();
  await runtime.spawned[2]?.ready();
  await restarted;
  assert.equal(two.supervisor.state, "ready");
});

test("restart() of a process that waits for its place goes to the end of the queue", async () => {
  const { runtime, all: [one, two, three] } = together(1, [{}, {}, {}]);
  assert.ok(one && two && three);
  for (const each of [one, two, three]) void each.supervisor.start();
  await settle();
  const restarted = two.supervisor.restart();
  await settle();
  await runtime.spawned[0]?.hello();
  await runtime.spawned[0]?.cleaned();
  assert.deepEqual([two.supervisor.isWaiting, three.supervisor.isWaiting], [true, false]);
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.cleaned();
  await runtime.spawned[2]?.hello();
  await runtime.spawned[2]?.ready();
  await restarted;
  assert.equal(two.supervisor.state, "ready");
});

test("the process of a reload waits for a place, while the old one serves, and a stop meanwhile leaves nothing", async () => {
  const { runtime, all: [one, two] } = together(1, [{}, {}]);
  assert.ok(one && two);
  await one.up();
  void two.supervisor.start();
  const replaced = one.supervisor.replace("reload");
  await settle();
  assert.deepEqual([one.supervisor.state, runtime.spawned.length], ["ready", 2]);
  const stopped = one.supervisor.stop();
  await runtime.spawned[0]?.exit(CLEAN);
  await stopped;
  assert.equal(await replaced, false);
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.ready();
  assert.deepEqual([one.supervisor.state, two.supervisor.state, runtime.spawned.length], ["stopped", "ready", 2]);
  assert.ok(!one.lines().some((line) => line.includes("could not be replaced")));
});

test("the process of a reload takes over when it was admitted and is ready", async () => {
  const { runtime, all: [one, two] } = together(1, [{}, {}]);
  assert.ok(one && two);
  await one.up();
  void two.supervisor.start();
  const replaced = one.supervisor.replace("reload");
  await settle();
  await runtime.spawned[1]?.hello();
  await runtime.spawned[1]?.cleaned();
  await runtime.spawned[2]?.hello();
  await runtime.spawned[2]?.ready();
  await runtime.spawned[0]?.exit(CLEAN);
  assert.equal(await replaced, true);
});

test("workers take places of the same number: a module's process asks for them, and its end gives them back", async () => {
  const { runtime, starts, all: [one] } = together(1, [{ startTimeoutMs: 1_000 }]);
  assert.ok(one);
  const life = await one.up();
  const { admitted, enter } = entering(starts);
  await life.send(FrameType.notice, { kind: "start-wanted", start: 1 });
  await life.send(FrameType.notice, { kind: "start-wanted", start: 2 });
  const answers = () => life.received.map(({ text }) => text).filter((text) => text.includes("start-admitted"));
  assert.deepEqual(answers(), ['{"kind":"start-admitted","start":1}']);
  enter("another module");
  await life.send(FrameType.notice, { kind: "start-over", start: 1 });
  assert.deepEqual(answers(), ['{"kind":"start-admitted","start":1}', '{"kind":"start-admitted","start":2}']);
  assert.deepEqual(admitted, []);
  await life.exit(CLEAN);
  assert.deepEqual(admitted, ["another module"]);
  assert.equal(runtime.clock.timers, 0);
});

test("a module that is too busy to give a worker's place back has it for startTimeoutMs, and asks as often as it likes", async () => {
  const clock = new ManualClock();
  const starts = new StartPlaces(1);
  const told: ControlFromParent[] = [];
  const lent = new LentPlaces({ starts, clock, leaseMs: 1_000, send: (notice) => told.push(notice) });
  const { admitted, enter } = entering(starts);
  lent.wanted(1);
  lent.wanted(1);
  enter("another module");
  await clock.advance(999);
  assert.deepEqual([told.length, admitted], [1, []]);
  await clock.advance(1);
  assert.deepEqual(admitted, ["another module"]);
  lent.over(1);
  lent.end();
  assert.equal(clock.timers, 0);
});

test("BorrowedPlaces asks for a place, admits when it is told, and gives it back once", () => {
  const told: ControlFromChild[] = [];
  const admitted: string[] = [];
  const borrowed = new BorrowedPlaces((notice) => told.push(notice));
  const leave = borrowed.enter(() => admitted.push("M-1"));
  borrowed.enter(() => admitted.push("M-2"))();
  borrowed.admitted(2);
  assert.deepEqual(admitted, []);
  borrowed.admitted(1);
  borrowed.admitted(1);
  assert.deepEqual(admitted, ["M-1"]);
  leave();
  leave();
  assert.deepEqual(told, [
    { kind: "start-wanted", start: 1 },
    { kind: "start-wanted", start: 2 },
    { kind: "start-over", start: 2 },
    { kind: "start-over", start: 1 },
  ]);
});
