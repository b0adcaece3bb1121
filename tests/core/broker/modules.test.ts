import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../manual_clock.ts";
import { FakeBroker, wasAsked } from "./fake_broker.ts";

const CRASH = { code: 1, signal: null };
const FOREVER = { restart: { policy: "always", delayMs: 1_000, maxRestarts: 1_000 } } as const;

/** A broker whose modules are up. */
async function started(...args: ConstructorParameters<typeof FakeBroker>): Promise<FakeBroker> {
  const broker = new FakeBroker(...args);
  const start = broker.core.start();
  await settle();
  await broker.up(...Object.keys(args[0]));
  await start;
  return broker;
}

/** The process of `module` ends before it is ready, and again when it is started again. */
async function crashLoop(broker: FakeBroker, module: string): Promise<void> {
  await broker.life(module).exit(CRASH);
  await broker.runtime.clock.advance(0);
  await broker.life(module).exit(CRASH);
}

test("a reload overtakes one before whose new module does not become ready, and only it is said to be in force", async () => {
  const broker = await started({ a: {} });
  const first = broker.follow({ a: {}, hangs: {} });
  await settle();
  await broker.life("hangs").hello();
  const second = broker.follow({ a: {}, fine: {} });
  await first;
  assert.deepEqual(await broker.states(), ["a ready", "fine starting", "hangs draining"]);
  await broker.up("fine");
  await broker.down("hangs");
  await second;
  assert.deepEqual(await broker.states(), ["a ready", "fine ready"]);
  assert.deepEqual(broker.told("broker.reloaded"), [
    "The configuration is in force after 0.000s (replaced: 0, kept: 0, added: 1, removed: 0)",
  ]);
  assert.equal(broker.runtime.clock.timers, 2, "the heartbeats");
});

test("a reload does not wait for a new module that is tried again and again, and later ones end that", async () => {
  const broker = await started({ a: {} });
  const followed = broker.follow({ a: {}, loop: FOREVER, after: { after: ["loop"] } });
  await settle();
  await crashLoop(broker, "loop");
  await followed;
  assert.deepEqual(await broker.states(), ["a ready", "loop backoff", "after stopped"]);
  await broker.follow({ a: {} });
  assert.deepEqual(await broker.states(), ["a ready"]);
  assert.deepEqual(broker.told("broker.reloaded").map((line) => line.slice(line.indexOf("("))), [
    "(replaced: 0, kept: 0, added: 2, removed: 0)",
    "(replaced: 0, kept: 0, added: 0, removed: 2)",
  ]);
  assert.equal(broker.runtime.clock.timers, 1, "the heartbeat of a");
});

test("a module that is gone is shown while it drains, and the broker's stop waits for it", async () => {
  const broker = await started({ a: {}, b: {} });
  const [a, b] = [broker.life("a"), broker.life("b")];
  void broker.follow({ a: {}, hangs: {} });
  await settle();
  assert.equal(wasAsked(b), true, "whatever becomes of the new one");
  assert.deepEqual(await broker.states(), ["a ready", "hangs starting", "b draining"]);
  await assert.rejects(broker.core.call("b", "x"), { code: "UNKNOWN_MODULE" });
  let isStopped = false;
  const stopped = broker.core.stop().then(() => isStopped = true);
  await settle();
  await broker.down("hangs");
  assert.equal(wasAsked(a), true);
  await a.exit({ code: 0, signal: null });
  assert.equal(isStopped, false);
  await b.exit({ code: 0, signal: null });
  await stopped;
  const stops = ["a", "b", "hangs"].map((name) => `${name} stopped in 0.000s`);
  assert.deepEqual(broker.told("process.stopped").toSorted(), stops);
  assert.deepEqual(broker.told("broker.reloaded"), []);
  assert.equal(broker.runtime.clock.timers, 0);
});

test("a module that comes back while it drains is started when it has ended", async () => {
  const broker = await started({ a: {}, b: {} });
  void broker.follow({ a: {} });
  await settle();
  const back = broker.follow({ b: {}, a: {} });
  await settle();
  assert.deepEqual(await broker.states(), ["b draining", "a ready"]);
  await broker.down("b");
  assert.equal(broker.lives("b").length, 2);
  await broker.up("b");
  await back;
  assert.deepEqual(await broker.states(), ["b ready", "a ready"]);
  assert.deepEqual(broker.told("broker.reloaded"), [
    "The configuration is in force after 0.000s (replaced: 1, kept: 0, added: 0, removed: 0)",
  ]);
});

test("a module that comes back and goes again while it drains is not started any more", async () => {
  const broker = await started({ a: {}, b: {} });
  for (const modules of [{ a: {} }, { a: {}, b: {} }, { a: {} }]) void broker.follow(modules);
  await settle();
  await broker.down("b");
  assert.deepEqual(await broker.states(), ["a ready"]);
  assert.equal(broker.lives("b").length, 1);
  assert.deepEqual(broker.told("broker.reloaded").length, 1);
});

test("settings that change again during a replacement end it, and the newest are in the process", async () => {
  const broker = await started({ a: {} });
  const old = broker.life("a");
  void broker.follow({ a: { options: 1 } });
  await settle();
  const overtaken = broker.life("a");
  await overtaken.hello();
  const newest = broker.follow({ a: { options: 2 } });
  await settle();
  assert.deepEqual([wasAsked(overtaken), wasAsked(old)], [true, false]);
  await overtaken.exit({ code: 0, signal: null });
  await broker.up("a");
  await old.exit({ code: 0, signal: null });
  await newest;
  assert.equal(broker.lives("a").length, 3);
  assert.ok(broker.life("a").received[0]?.text.includes('"options":2'));
  assert.equal(broker.told("process.kept").length, 0);
  assert.deepEqual(broker.told("broker.reloaded"), [
    "The configuration is in force after 0.000s (replaced: 1, kept: 0, added: 0, removed: 0)",
  ]);
});

test("settings that change many times while a process starts for earlier ones start one more process", async () => {
  const broker = await started({ a: {} });
  const old = broker.life("a");
  const first = broker.follow({ a: { options: 1 } });
  await settle();
  const overtaken = broker.life("a");
  await overtaken.hello();
  const later = [];
  for (const options of [2, 3, 4]) {
    later.push(broker.follow({ a: { options } }));
    await settle();
  }
  await overtaken.exit({ code: 0, signal: null });
  await broker.up("a");
  await old.exit({ code: 0, signal: null });
  await Promise.all([first, ...later]);
  assert.equal(broker.lives("a").length, 3);
  assert.ok(broker.life("a").received[0]?.text.includes('"options":4'));
  assert.equal(broker.told("process.kept").length, 0);
});

/** What the newest process of a got as its options. */
function options(broker: FakeBroker): string | undefined {
  return /"options":(\w+)/.exec(broker.life("a").received[0]?.text ?? "")?.[1];
}

for (const how of ["reload", "restart"] as const) {
  test(`a ${how} by hand while a process starts for changed settings is with these`, async () => {
    const broker = await started({ a: {} });
    const old = broker.life("a");
    const changed = broker.follow({ a: { options: 1 } });
    await settle();
    const overtaken = broker.life("a");
    await overtaken.hello();
    if (how === "reload") {
      void broker.core.reload("a");
      await settle();
      await overtaken.exit({ code: 0, signal: null });
    }
    const done = broker.core[how]("a");
    await settle();
    for (const life of broker.lives("a").slice(1)) await life.exit({ code: 0, signal: null });
    if (how === "restart") await old.exit({ code: 0, signal: null });
    await broker.up("a");
    await old.exit({ code: 0, signal: null });
    assert.deepEqual([await done, await changed], [how === "reload" ? [] : undefined, undefined]);
    assert.equal(options(broker), "1");
    assert.deepEqual(broker.told("broker.reloaded").map((line) => line.slice(line.indexOf("("))), [
      "(replaced: 1, kept: 0, added: 0, removed: 0)",
    ]);
    const again = broker.core.restart("a");
    await settle();
    await broker.down("a");
    await broker.up("a");
    await again;
    assert.equal(options(broker), "1");
  });
}

test("a module that was stopped by hand stays so through reloads, and starts with the newest settings", async () => {
  const broker = await started({ a: {}, b: {} });
  const [a, b] = [broker.life("a"), broker.life("b")];
  const stopped = broker.core.stopModule("a");
  await settle();
  await a.exit({ code: 0, signal: null });
  await stopped;
  await broker.follow({ a: { options: 1 }, b: {} });
  const reloaded = broker.core.reload();
  await settle();
  await broker.up("b");
  await b.exit({ code: 0, signal: null });
  assert.deepEqual(await reloaded, []);
  assert.deepEqual(await broker.states(), ["a stopped", "b ready"]);
  assert.deepEqual(broker.told("broker.reloaded").map((line) => line.slice(line.indexOf("("))), [
    "(replaced: 0, kept: 0, added: 0, removed: 0)",
  ]);
  const again = broker.core.restart("a");
  await settle();
  await broker.up("a");
  await again;
  assert.equal(options(broker), "1");
  const changed = broker.follow({ a: { options: 2 }, b: {} });
  await settle();
  const old = broker.lives("a").at(-2);
  await broker.up("a");
  await old?.exit({ code: 0, signal: null });
  await changed;
  assert.equal(options(broker), "2");
});

test("of two reloads by hand at once the first ends as the second does, which overtakes it", async () => {
  const broker = await started({ a: {} });
  const old = broker.life("a");
  const first = broker.core.reload("a");
  await settle();
  const overtaken = broker.life("a");
  await overtaken.hello();
  const second = broker.core.reload("a");
  await settle();
  await overtaken.exit({ code: 0, signal: null });
  await broker.up("a");
  await old.exit({ code: 0, signal: null });
  assert.deepEqual(await Promise.all([first, second]), [[], []]);
});

test("settings that change back during a replacement are those of the process in the end", async () => {
  const broker = await started({ a: {} });
  const old = broker.life("a");
  void broker.follow({ a: { options: 1 } });
  await settle();
  await broker.life("a").hello();
  const back = broker.follow({ a: {} });
  await settle();
  await broker.down("a");
  await broker.up("a");
  await old.exit({ code: 0, signal: null });
  await back;
  assert.ok(broker.life("a").received[0]?.text.includes('"options":null'));
  assert.deepEqual(await broker.states(), ["a ready"]);
});

test("the same configuration twice waits for the replacement that is under way, and counts it once", async () => {
  const broker = await started({ a: {} });
  const old = broker.life("a");
  for (let time = 0; time < 2; time++) void broker.follow({ a: { options: 1 } });
  await settle();
  assert.equal(broker.lives("a").length, 2);
  await broker.up("a");
  await old.exit({ code: 0, signal: null });
  assert.deepEqual(broker.told("broker.reloaded"), [
    "The configuration is in force after 0.000s (replaced: 1, kept: 0, added: 0, removed: 0)",
  ]);
});

test("settings with which the process does not come up are tried again by the next reload", async () => {
  const broker = await started({ a: {} });
  for (const count of [2, 3]) {
    const followed = broker.follow({ a: { options: 1 } });
    await settle();
    assert.equal(broker.lives("a").length, count);
    await broker.life("a").exit(CRASH);
    await followed;
  }
  await broker.follow({ a: {} });
  assert.equal(broker.lives("a").length, 3, "the process still has what it has now");
  assert.deepEqual(
    broker.told("broker.reloaded").map((line) => line.slice(line.indexOf("("))),
    [1, 1, 0].map((kept) => `(replaced: 0, kept: ${kept}, added: 0, removed: 0)`),
  );
});

test("a reload during the start removes and changes what waits for its turn, and the start waits for what is new", async () => {
  const broker = new FakeBroker({ store: {}, api: { after: ["store"] }, gone: { after: ["store"] } });
  let isUp = false;
  const start = broker.core.start().then(() => isUp = true);
  await settle();
  void broker.follow({ store: {}, api: { after: ["store"], options: 7 }, more: {} });
  await settle();
  assert.deepEqual(await broker.states(), ["store starting", "api stopped", "more starting"]);
  await broker.up("store");
  assert.equal(broker.lives("gone").length, 0);
  assert.equal(broker.lives("api").length, 1);
  await broker.up("api");
  assert.equal(isUp, false);
  await broker.up("more");
  await start;
  assert.ok(broker.life("api").received[0]?.text.includes('"options":7'));
  assert.deepEqual(await broker.states(), ["store ready", "api ready", "more ready"]);
});

test("a module that waits for others and is restarted or stopped by hand is not started a second time", async () => {
  for (const how of ["restart", "reload", "stopModule"] as const) {
    const broker = new FakeBroker({ store: {}, api: { after: ["store"] } });
    const start = broker.core.start();
    await settle();
    const done = broker.core[how]("api");
    await settle();
    if (how !== "stopModule") await broker.up("api");
    await done;
    await broker.up("store");
    await start;
    const state = how === "stopModule" ? "stopped" : "ready";
    assert.deepEqual(await broker.states(), ["store ready", `api ${state}`], how);
    assert.equal(broker.lives("api").length, how === "stopModule" ? 0 : 1);
  }
});

test("a restart of all leaves alone what a reload has removed meanwhile", async () => {
  const broker = await started({ a: {}, b: {} });
  const restarted = broker.core.restart();
  await settle();
  const followed = broker.follow({ a: {} });
  await settle();
  await broker.down("a", "b");
  await broker.up("a");
  await Promise.all([restarted, followed]);
  assert.deepEqual(await broker.states(), ["a ready"]);
  assert.equal(broker.lives("b").length, 1);
});

test("a module that was not started for one that had failed starts when that comes up, be it in a second attempt", async () => {
  const broker = new FakeBroker({ store: { restart: { maxRestarts: 1 } }, api: { after: ["store"] } });
  const start = broker.core.start();
  await settle();
  await crashLoop(broker, "store");
  await start;
  assert.deepEqual(await broker.states(), ["store failed", "api failed"]);
  const restarted = broker.core.restart("store");
  await settle();
  await broker.life("store").exit(CRASH);
  await restarted;
  await broker.runtime.clock.advance(0);
  await broker.up("store");
  await settle();
  await broker.up("api");
  assert.deepEqual(await broker.states(), ["store ready", "api ready"]);
});

test("a broker that is process 1 says once that nobody collects orphans, and its status counts them", async () => {
  for (const pid of [1, 2]) {
    const broker = new FakeBroker({ a: {} });
    broker.runtime.pid = pid;
    broker.runtime.uncollected = 3;
    const start = broker.core.start();
    await settle();
    await broker.up("a");
    await start;
    assert.deepEqual(
      broker.told("broker.no-init"),
      pid === 2 ? [] : [
        "The broker is process 1, and nobody collects processes that have lost their parent: they stay as zombies; what to do: " +
        'run the container with an init: "docker run --init", "init: true" in a Compose file, or tini in the image',
      ],
    );
    assert.equal((await broker.core.status()).broker.zombies, 3);
  }
});

test("the guard is told of each process, and of its end, so that it kills no other one that gets the same pid", async () => {
  const t = new FakeBroker({ sla: {} });
  void t.core.start();
  await settle();
  await t.up("sla");
  await t.life("sla").exit({ code: 1, signal: null });
  await t.runtime.clock.advance(0);
  await t.up("sla");
  const guarded = () => t.runtime.guarded.replace(/ \S+\/sla\/\d+$/gm, " tree").trim().split("\n");
  assert.deepEqual(guarded(), ["add 100 group tree", "del 100", "add 101 group tree"]);
  const stopped = t.core.stop();
  await settle();
  await t.down("sla");
  await stopped;
  assert.equal(guarded().at(-1), "del 101");
});

test("a process that ends before its Broker.start is told with what stands before that, and one that was ready is not", async () => {
  for (const isReady of [false, true]) {
    const t = new FakeBroker({ sla: { restart: "never" } });
    void t.core.start();
    await settle();
    if (isReady) await t.up("sla");
    await t.life("sla").exit({ code: 4, signal: null });
    const why = isReady ? "" : ' before it reached Broker.start({ name: "broker-master" }): code before that ' +
      'runs in this process too, move it after that call, or set "program" to a file that only starts the broker';
    assert.deepEqual(t.told("process.exited"), [
      `sla ended unexpectedly (pid 100, exit code 4, signal none): process exited with code 4${why}`,
    ]);
  }
});

test("a process that waits for a port that is taken says where that stands when its start takes too long", async () => {
  const t = new FakeBroker({ sla: { restart: "never" } });
  void t.core.start();
  await settle();
  // What Bun prints of it: the program goes on waiting.
  t.life("sla").print("error: Failed to start server. Is port 3000 in use?\n");
  await t.runtime.clock.advance(10_000);
  await t.life("sla").exit({ code: null, signal: "SIGKILL" });
  const start = 'Broker.start({ name: "broker-master" })';
  assert.deepEqual(t.told("process.exited"), [
    `sla ended unexpectedly (pid 100, exit code none, signal SIGKILL): process did not reach ${start} in 10s: code ` +
    `before ${start} runs in this process too, and listens on a port that is taken, move it after that call, or set "program" ` +
    "to a file that only starts the broker",
  ]);
});

test("restart(), reload(), scale(), inspect() and stop of an unknown module name what was asked for, not a call", async () => {
  const { core } = new FakeBroker({ sla: {} });
  const unknown = (action: string) => ({
    code: "UNKNOWN_MODULE",
    message: `Cannot ${action} module "sal": unknown module, did you mean "sla"`,
  });
  await assert.rejects(core.restart("sal"), unknown("restart"));
  await assert.rejects(core.reload("sal"), unknown("reload"));
  await assert.rejects(core.scale("sal", 1), unknown("scale"));
  await assert.rejects(core.inspect("sal", true), unknown("inspect"));
  await assert.rejects(core.stopModule("sal"), unknown("stop"));
});

test("restart() and reload() after stop() are refused, so no process outlives its broker", async () => {
  const t = new FakeBroker({ sla: {} });
  void t.core.start();
  await settle();
  await t.up("sla");
  const stopped = t.core.stop();
  await assert.rejects(t.core.restart("sla"), { message: 'Cannot restart "sla": broker "broker-master" has stopped' });
  await settle();
  await t.down("sla");
  await stopped;
  await assert.rejects(t.core.reload(), { message: 'Cannot reload the modules: broker "broker-master" has stopped' });
  assert.equal(t.told("process.starting").length, 1);
});
