// What Broker.start was given, on its way to where it takes effect.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallOptions } from "../../../src/core/module/definition.ts";
import { QueueFullError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import type { FakeProcess } from "../child/fake_process.ts";
import { settle } from "../manual_clock.ts";
import { FakeBroker } from "./fake_broker.ts";

/** How many calls were sent to a process. */
function sent(life: FakeProcess): number {
  return life.received.filter(({ type }) => type === FrameType.calls).length;
}

/** What the process was told with the hello. */
function setupOf(life: FakeProcess): Record<string, unknown> {
  const hello = life.received.find(({ type }) => type === FrameType.hello);
  return JSON.parse(hello?.text ?? "{}").setup;
}

/** Calls one after the other until one is refused; how many were not. */
async function taken(t: FakeBroker): Promise<{ calls: number; error: QueueFullError }> {
  for (let calls = 0; calls < 10; calls++) {
    const refused = t.core.call("sla", "wait", [], { timeoutMs: 60_000, retry: "never" }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const outcome = await Promise.race([refused, settle()]);
    if (outcome instanceof QueueFullError) return { calls, error: outcome };
  }
  throw new Error("none was refused");
}

test("concurrency and queue of Broker.start are told to the process, and the third of 1 and 1 is refused", async () => {
  const t = new FakeBroker({ sla: { concurrency: 1, queue: 1 } });
  void t.core.start();
  await settle();
  await t.up("sla");
  const { concurrency, queue } = setupOf(t.life("sla"));
  assert.deepEqual([concurrency, queue], [1, 1]);
  const { calls, error } = await taken(t);
  assert.deepEqual([calls, error.depth, error.limit, sent(t.life("sla"))], [2, 1, 1, 1]);
  assert.equal(error.message, 'Cannot call command "wait" of module "sla": queue is full (1)');
});

test("they hold after a reload, and are those of the new configuration", async () => {
  const t = new FakeBroker({ sla: { concurrency: 1, queue: 1 } });
  void t.core.start();
  await settle();
  await t.up("sla");
  const reloaded = t.core.reload("sla");
  await settle();
  await t.up("sla");
  await t.lives("sla")[0]?.exit({ code: 0, signal: null });
  assert.deepEqual(await reloaded, []);
  assert.equal((await taken(t)).calls, 2);

  const followed = t.follow({ sla: { concurrency: 2, queue: 3 } });
  await settle();
  await t.up("sla");
  await t.lives("sla")[1]?.exit({ code: 0, signal: null });
  await followed;
  const { concurrency, queue } = setupOf(t.life("sla"));
  assert.deepEqual([concurrency, queue], [2, 3]);
  const { calls, error } = await taken(t);
  // One that waited goes out to the new process first.
  assert.deepEqual([calls, error.limit, sent(t.life("sla"))], [4, 3, 2]);
});

for (const bad of [0, -1, NaN, Infinity, "5", null]) {
  test(`totalTimeoutMs of ${JSON.stringify(bad)} (${String(bad)}) is refused, and nothing is sent`, async () => {
    const t = new FakeBroker({ sla: {} });
    void t.core.start();
    await settle();
    await t.up("sla");
    const settings = { totalTimeoutMs: bad } as CallOptions;
    const refusal = {
      name: "TypeError",
      message: `Cannot call command "size": totalTimeoutMs must be a number of milliseconds above 0, and it is ${bad}`,
    };
    await assert.rejects(t.core.call("sla", "size", [], settings), refusal);
    await assert.rejects(t.core.measure("sla", "size", [], settings), refusal);
    await assert.rejects(t.core.stream("sla", "size", [], settings).next(), refusal);
    assert.equal(sent(t.life("sla")), 0);
  });
}

test("an event that somebody listens to at run time is wanted of processes that already run, until the end of it", async () => {
  const t = new FakeBroker({ sla: {} }, { logLevel: "error" });
  void t.core.start();
  await settle();
  await t.up("sla");
  const wanted = () => wants(t.life("sla"), "command.executing");
  assert.equal(wanted(), undefined);
  const stop = t.core.on("command.executing", () => {});
  await settle();
  assert.equal(wanted(), true);
  stop();
  await settle();
  assert.equal(wanted(), false);
});

/** What the last notice of what is wanted says of `event`; undefined where there was none. */
function wants(life: FakeProcess, event: string): unknown {
  const notices = life.received.filter(({ text }) => text.includes('"kind":"wanted"'));
  return JSON.parse(notices.at(-1)?.text ?? "{}").events?.includes(event);
}

test("an event that somebody listens to is wanted of a process that is to replace another one", async () => {
  const t = new FakeBroker({ sla: {} }, { logLevel: "error" });
  void t.core.start();
  await settle();
  await t.up("sla");
  void t.core.reload("sla");
  await settle();
  await t.life("sla").hello();
  t.core.on("command.executing", () => {});
  await settle();
  for (const life of t.lives("sla")) assert.equal(wants(life, "command.executing"), true);
});

test("as many processes start at once as there are processors, and two at least", async () => {
  const modules = { a: {}, b: {}, c: {}, d: {}, e: {} };
  for (const [processors, startConcurrency, spawned] of [[1, undefined, 2], [4, undefined, 4], [4, 3, 3], [4, 1, 1]]) {
    const options = startConcurrency === undefined ? {} : { startConcurrency };
    const t = new FakeBroker(modules, { processors: processors ?? 0, ...options });
    void t.core.start();
    await settle();
    assert.equal(t.runtime.spawned.length, spawned, `${processors} processors, startConcurrency ${startConcurrency}`);
  }
});

test("a changed startConcurrency is in force at once, and a module with after waits for those before it first", async () => {
  const modules = { a: {}, b: { after: ["a"] }, c: {}, d: {} };
  const t = new FakeBroker(modules, { startConcurrency: 1 });
  void t.core.start();
  await settle();
  await t.life("a").hello();
  await t.life("a").cleaned();
  // The start hook of a runs.
  assert.deepEqual([t.lives("b").length, t.lives("c").length, t.lives("d").length], [0, 1, 0]);
  void t.follow(modules, { startConcurrency: 2 });
  await settle();
  assert.deepEqual([t.lives("b").length, t.lives("d").length], [0, 1]);
  await t.life("a").ready();
  assert.equal((await t.states())[1], "b starting");
  assert.equal(t.lives("b").length, 0);
  await t.life("c").hello();
  await t.life("c").cleaned();
  assert.equal(t.lives("b").length, 1);
});

test("the end of a broker creates no process of those that wait, and tells nothing of them", async () => {
  const t = new FakeBroker({ a: {}, b: {}, c: {}, d: {} });
  const started = t.core.start();
  await settle();
  const stopped = t.core.stop();
  await settle();
  assert.deepEqual(await t.states(), ["a starting", "b draining", "c stopped", "d stopped"]);
  await t.down("b", "a");
  await Promise.all([stopped, started]);
  assert.deepEqual(await t.states(), ["a stopped", "b stopped", "c stopped", "d stopped"]);
  assert.equal(t.runtime.spawned.length, 2);
  assert.deepEqual(t.told("process.stopped").map((line) => line.slice(0, 1)), ["b", "a"]);
});

test("a module that waits to be started again is ended before the others give their places back", async () => {
  const t = new FakeBroker({ a: {}, b: {} }, { startConcurrency: 1 });
  void t.core.start();
  await settle();
  await t.up("a");
  await t.life("a").exit({ code: 1, signal: null });
  await t.runtime.clock.advance(0);
  assert.deepEqual(await t.states(), ["a starting", "b starting"]);
  const stopped = t.core.stop();
  await settle();
  await t.down("b");
  await stopped;
  assert.deepEqual([t.lives("a").length, t.lives("b").length], [1, 1]);
});
