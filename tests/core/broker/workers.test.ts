// A module's commands as functions, its workers from outside, and how many of them there are.
import { Broker, type BrokerOptions, defineModule, defineProgram, remote } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { MemoryTree } from "./memory_tree.ts";

/** Calls that wait in a worker until the test lets them go, and whose signals were aborted. */
const held: (() => void)[] = [];
let aborted = 0;

const shop = defineModule({
  name: "shop",
  workers: {
    count: 2,
    commands: (ctx) => ({
      price: (plum: number) => plum * 3,
      who: function () {
        return `${ctx.module}-${ctx.role.worker} for ${this.caller}`;
      },
      hold: function (this: CallContext, what: string) {
        this.progress(what);
        this.signal.addEventListener("abort", () => aborted++);
        return new Promise<string>((resolve) => held.push(() => resolve(what)));
      },
      *count(to: number) {
        for (let n = 1; n <= to; n++) yield n;
      },
      refuse: (plum: number) => {
        if (plum === 2) throw new RangeError("no such plum");
        return plum;
      },
    }),
  },
  commands: (ctx) => ({
    get_report: (month: string) => ({ month }),
    total: async (count: number) => {
      let sum = 0;
      const plums = Array.from({ length: count }, (_, plum) => plum);
      for await (const price of ctx.workers.map(plums, { command: "price" })) sum += price;
      return sum;
    },
  }),
});
const bare = defineModule({ name: "bare", commands: { hello: () => "hello", then: () => "no promise" } });
const made = defineModule({
  name: "made",
  workers: { count: 1, commands: () => ({ then: () => "no promise either" }) },
  commands: (ctx) => ({ hello: () => ctx.workers.call("then"), then: () => "no promise" }),
});
const server = defineProgram({ name: "server", command: ["/nowhere/server"] });

function start(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  held.length = aborted = 0;
  return Broker.start({ name: "b", modules: [shop, bare], inProcess: true, log: () => {}, ...options });
}

async function workersOf(broker: Pick<Broker, "status">, module = "shop"): Promise<string[]> {
  const { modules } = await broker.status();
  return modules.find(({ name }) => name === module)?.workers.map(({ name, state }) => `${name} ${state}`) ?? [];
}

test("broker.module() has each command as a function with the options of its calls, and is no promise", async () => {
  await using broker = await start();
  const module = broker.module(shop);
  assert.deepEqual(await module.get_report("2021-10"), { month: "2021-10" });
  assert.equal(await Promise.resolve(module), module);
  const handle = broker.module(bare);
  assert.equal(await Promise.resolve(handle), handle);
  assert.deepEqual([await handle.hello(), await broker.call(bare, "then")], ["hello", "no promise"]);
  await using other = await start({ name: "other", modules: [made], failFast: true });
  assert.deepEqual([await other.call(made, "then"), await other.call(made, "hello")], [
    "no promise",
    "no promise either",
  ]);
  assert.deepEqual([Reflect.get(module, "then"), Reflect.get(module, "toJSON")], [undefined, undefined]);
  assert.equal(module.get_report, module.get_report);
  const { get_report } = broker.module(shop, { signal: AbortSignal.abort() });
  await assert.rejects(get_report("2021-10"), { code: "CANCELLED" });
  await assert.rejects(broker.module(remote<typeof shop>("shop@web-1")).get_report("2021-10"), {
    name: "UnknownModuleError",
    target: "shop@web-1",
  });
});

test("broker.workers() calls and streams the commands of the workers through their module, one after the other", async () => {
  await using broker = await start();
  const workers = broker.workers(shop);
  assert.deepEqual([await workers.call("who"), await workers.call("who")].sort(), ["shop-1 for b", "shop-2 for b"]);
  const numbers: number[] = [];
  for await (const n of workers.stream("count", [3])) numbers.push(n);
  assert.deepEqual(numbers, [1, 2, 3]);
  await assert.rejects(workers.call("refuse", [2]), { code: "REMOTE", message: "no such plum" });
  await assert.rejects(broker.workers("shop").call("prise"), { code: "UNKNOWN_COMMAND", nearest: "price" });
});

test("a call to a worker times out once, with the caller's time, and is not joined to anything else", async () => {
  const t = await MemoryTree.up([shop]);
  held.length = 0;
  const call = t.core.workers("shop").call("hold", ["a"], { timeoutMs: 500 });
  call.catch(() => {});
  await t.rest();
  assert.equal(held.length, 1);
  await t.rest(500);
  await t.rest(500);
  await assert.rejects(t.ends(call), { code: "TIMEOUT", timeoutMs: 500, attempts: 2, peer: "slow" });
  assert.equal(held.length, 1);
  assert.equal(t.lines(/^call\.timeout/).length, 1);
});

test("map() over workers: results in order, progress with the number of the item, the error of a command", async () => {
  await using broker = await start();
  const workers = broker.workers(shop);
  const prices: number[] = [];
  const plums = Array.from({ length: 1_000 }, (_, plum) => plum);
  for await (const price of workers.map(plums, { command: "price" })) prices.push(price);
  assert.deepEqual(prices, plums.map((plum) => plum * 3));
  assert.equal(await broker.call(shop, "total", [1_000]), 1_498_500);

  const steps: unknown[] = [];
  const onProgress = (value: unknown, index: number) => {
    steps.push([value, index]);
    held.shift()?.();
  };
  const kept: string[] = [];
  const map = workers.map(["a", "b"], { command: "hold", concurrency: 1, timeoutMs: 60_000, onProgress });
  const all = (async () => {
    for await (const what of map) kept.push(what);
  })();
  while (kept.length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    held.shift()?.();
  }
  await all;
  assert.deepEqual([kept, steps], [["a", "b"], [["a", 0], ["b", 1]]]);

  const good: number[] = [];
  await assert.rejects(async () => {
    for await (const plum of workers.map([0, 1, 2, 3], { command: "refuse" })) good.push(plum);
  }, { code: "REMOTE", message: "no such plum" });
  assert.deepEqual(good, [0, 1]);
});

test("map() that is left cancels the commands that run in the workers, which is no failure: it has no line", async () => {
  const lines: string[] = [];
  const log: BrokerOptions["log"] = ({ level, lines: all }) => void (level === "error" && lines.push(...all()));
  await using broker = await start({ log });
  const map = broker.workers(shop).map(["a", "b", "c"], { command: "hold", concurrency: 2, timeoutMs: 60_000 });
  const first = map.next();
  while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  held[0]?.();
  assert.deepEqual(await first, { value: "a", done: false });
  await map.return?.();
  // The third may have begun or not.
  assert.ok(aborted >= 1, "no command saw its signal");
  const { modules } = await broker.status();
  const cancelled = modules.find(({ name }) => name === "shop")?.calls.cancelled ?? 0;
  assert.deepEqual([cancelled >= 1, lines], [true, []]);
  for (const release of held) release();
});

test("scale() starts the workers that are missing, drains those that are too many, and a restart keeps the number", async () => {
  await using broker = await start();
  await broker.scale(shop, 4);
  assert.deepEqual(await workersOf(broker), [1, 2, 3, 4].map((number) => `shop-${number} ready`));
  await broker.restart("shop-4");
  await broker.restart(shop);
  assert.equal((await workersOf(broker)).length, 4);

  const calls = Array.from(
    { length: 4 },
    (_, at) => broker.workers(shop).call("hold", [`${at}`], { timeoutMs: 60_000 }),
  );
  while (held.length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
  const scaled = broker.scale(shop, 1);
  while ((await workersOf(broker)).length !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
  for (const release of held) release();
  await scaled;
  assert.deepEqual(await Promise.all(calls), ["0", "1", "2", "3"]);
  assert.deepEqual(await workersOf(broker), ["shop-1 ready"]);

  assert.deepEqual(await broker.reload(shop), []);
  assert.equal((await workersOf(broker)).length, 2);
});

test("scale() to 0 leaves no worker: calls to one are rejected at once, and it can be scaled up again", async () => {
  await using broker = await start();
  await broker.scale("shop", 0);
  assert.deepEqual(await workersOf(broker), []);
  const unknown = { code: "UNKNOWN_MODULE", target: "shop-1" };
  await assert.rejects(broker.workers(shop).call("who"), unknown);
  await assert.rejects(broker.workers(shop).map([1], { command: "price" }).next(), unknown);
  await assert.rejects(broker.call(shop, "total", [1]), { code: "REMOTE", remoteName: "UnknownModuleError" });
  await broker.scale("shop", 1);
  assert.equal(await broker.workers(shop).call("price", [2]), 6);
});

test("scale() twice at once for a module that had no workers leaves as many as the last one said, and no other process", async () => {
  const lazy = defineModule({ name: "lazy", workers: { count: 0, commands: {} } });
  const t = await MemoryTree.up([lazy]);
  await t.ends(Promise.all([t.core.scale("lazy", 2), t.core.scale("lazy", 1)]));
  assert.deepEqual(await t.ends(workersOf(t.core, "lazy")), ["lazy-1 ready"]);
  const ended = t.process("lazy-2").exited;
  await t.ends(t.core.stop());
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.deepEqual(t.lines(/^process\.starting$/).map((line) => line.replace(/.* (\S+ is starting.*)/, "$1")), [
    "lazy is starting (generation 1)",
    "lazy-1 is starting (generation 1)",
    "lazy-2 is starting (generation 1)",
  ]);
});

test("scale() survives a configuration that changes other modules, and one that changes the module ends it", async () => {
  const t = await MemoryTree.up([shop, bare]);
  await t.ends(t.core.scale("shop", 3));
  const { plan } = t.core;
  await t.ends(t.core.follow(plan, { load: null, signature: () => "" }));
  const host = (shop: string) => ({ load: null, signature: (name: string) => name === "shop" ? shop : "" });
  await t.ends(t.core.follow(plan, host("1")));
  assert.equal((await t.ends(workersOf(t.core))).length, 2);
  await t.ends(t.core.scale("shop", 3));
  await t.ends(t.core.follow(plan, host("1")));
  assert.equal((await t.ends(workersOf(t.core))).length, 3);
  await t.ends(t.core.stop());
});

test("scale() says what it can't do, on the command line too", async () => {
  const t = await MemoryTree.up([shop, bare, server, defineModule({ name: "shop-3" })], {
    programs: { "/nowhere/server": () => undefined },
  });
  const client = await t.client();
  const wrong: [name: string, workers: number, message: string][] = [
    ["shop", -1, 'Cannot scale "shop": the number of workers must be a whole number of at least 0, and it is -1'],
    ["shop", 1.5, 'Cannot scale "shop": the number of workers must be a whole number of at least 0, and it is 1.5'],
    ["shop", 3, 'Cannot scale "shop" to 3: "shop-3" is the name of a module'],
    ["bare", 1, 'Cannot scale "bare": it defines no workers'],
    ["server", 1, 'Cannot scale "server": it is a program in another language, only JavaScript modules have workers'],
  ];
  for (const [name, workers, message] of wrong) {
    await assert.rejects(t.ends(t.core.scale(name, workers)), { message });
    assert.equal(await t.ends(client.scale(name, workers)), message);
  }
  await assert.rejects(t.ends(client.scale("shp", 1)), { code: "UNKNOWN_MODULE", nearest: "shop" });
  assert.equal(await t.ends(client.scale("shop", 1)), null);
  assert.deepEqual(await t.ends(workersOf(t.core)), ["shop-1 ready"]);
  await t.ends(t.core.stopModule("shop"));
  await assert.rejects(t.ends(t.core.scale("shop", 1)), { message: 'Cannot scale "shop": it is stopped' });
  await t.ends(t.core.stop());
});
