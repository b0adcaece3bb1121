import { Broker, CallTimeoutError, QueueFullError } from "brokkr";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { bystander, flooded } from "../fixtures/broker/flood.ts";

const PROGRAM = new URL("../fixtures/broker/flood.ts", import.meta.url);
const CALLS = 100_000;
/** Calls of a second flood, which finds every queue full. */
const MORE = 20_000;
const MIB = 1024 * 1024;
/** What the parameters of one flood take together is more than three times as much. */
const BOUND_BYTES = 300 * MIB;
/** Calls that are given up while the process stands still. */
const GIVEN_UP = 50;

async function start(commands: Record<string, (...params: never[]) => unknown> = {}): Promise<Broker> {
  const modules = [flooded, bystander];
  return await Broker.start({ name: "broker-master", modules, program: PROGRAM, commands, log: () => {} });
}

async function statusOf(broker: Broker) {
  const [status] = (await broker.status()).modules;
  assert.ok(status?.pid);
  return { ...status, pid: status.pid };
}

/** What the broker holds. Bun collects late and gives pages back later still, so it is asked to. */
async function residentBytes(): Promise<number> {
  const bun: unknown = Reflect.get(globalThis, "Bun");
  if (typeof bun === "object" && bun !== null && "gc" in bun && typeof bun.gc === "function") {
    bun.gc(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return process.memoryUsage.rss();
}

async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
}

/** How calls ended, told as they end, so that nothing of them is kept. */
class Outcomes {
  readonly depths = new Set<number>();
  own = 0;
  wrong = 0;
  full = 0;
  timeout = 0;
  readonly others: string[] = [];

  get settled(): number {
    return this.own + this.wrong + this.full + this.timeout + this.others.length;
  }

  async add(call: Promise<unknown>, isOwn: (answer: unknown) => boolean): Promise<void> {
    try {
      if (isOwn(await call)) this.own++;
      else this.wrong++;
    } catch (error) {
      if (error instanceof QueueFullError) {
        this.full++;
        this.depths.add(error.depth);
      } else if (error instanceof CallTimeoutError) this.timeout++;
      else this.others.push(String(error));
    }
  }
}

test("100,000 calls of 10 KB to a stopped process: bounded memory, QueueFullError at once, the rest is served later", {
  timeout: 110_000,
}, async () => {
  const broker = await start();
  const { pid } = await statusOf(broker);
  try {
    await broker.call("flooded", "echo", [1]);
    process.kill(pid, "SIGSTOP");
    const outcomes = new Outcomes();
    const padding = "x".repeat(10_000);
    const all: Promise<void>[] = [];
    const flood = async (first: number, count: number) => {
      for (let index = first; index < first + count; index++) {
        // The first ones are on their way when they are given up, so that they leave no room for others.
        const timeoutMs = index < GIVEN_UP ? 500 : 90_000;
        const call = broker.call("flooded", "echo", [[index, padding]], { timeoutMs });
        const isOwn = (answer: unknown) => Array.isArray(answer) && answer[0] === index && answer[1] === padding;
        all.push(outcomes.add(call, isOwn));
        if (index % 1_000 === 999) await new Promise((resolve) => setTimeout(resolve, 0));
      }
    };
    const before = await residentBytes();
    await flood(0, CALLS);
    const first = await residentBytes();
    const accepted = CALLS - outcomes.full;
    assert.ok(accepted * 10_000 > 64 * MIB && accepted * 10_000 < 90 * MIB, `${accepted} calls were accepted`);
    for (const depth of outcomes.depths) assert.ok(depth > 63 * MIB && depth <= 64 * MIB, `depth ${depth}`);
    await flood(CALLS, MORE);
    const second = await residentBytes();
    assert.equal(CALLS + MORE - outcomes.full, accepted, "the second flood is refused whole");
    assert.equal(outcomes.settled - outcomes.full, outcomes.timeout, "no other call has an outcome yet");
    for (const [which, grown] of [["first", first - before], ["second", second - first]] as const) {
      assert.ok(grown < BOUND_BYTES, `the memory of the broker grew by ${grown / MIB} MiB in the ${which} flood`);
    }
    assert.equal(await broker.call("bystander", "echo", ["unharmed"], { timeoutMs: 30_000 }), "unharmed");
    while (outcomes.timeout < GIVEN_UP) await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(pid, "SIGCONT");
    await Promise.all(all);
    assert.deepEqual(outcomes.others, []);
    const { own, wrong, timeout, full } = outcomes;
    assert.deepEqual({ wrong, answered: own, timeout, sum: own + timeout + full }, {
      wrong: 0,
      answered: accepted - timeout,
      timeout: GIVEN_UP,
      sum: CALLS + MORE,
    });
    const status = await statusOf(broker);
    const { ok, retried, error } = status.calls;
    assert.deepEqual([ok + retried, status.calls.timeout, error], [own + 1, timeout, full]);
    assert.deepEqual([status.pid, status.restarts], [pid, 0]);
  } finally {
    process.kill(pid, "SIGCONT");
    await broker.stop();
  }
});

test(
  "100,000 calls at once to a live process all get their own answers, or QueueFullError",
  { timeout: 110_000 },
  async () => {
    const broker = await start();
    try {
      const outcomes = new Outcomes();
      const all = Array.from({ length: CALLS }, (_, index) => {
        const call = broker.call("flooded", "echo", [{ index }], { timeoutMs: 90_000 });
        return outcomes.add(call, (answer) => JSON.stringify(answer) === `{"index":${index}}`);
      });
      await Promise.all(all);
      const { own, full, wrong, timeout, others } = outcomes;
      assert.deepEqual({ wrong, timeout, others, sum: own + full }, { wrong: 0, timeout: 0, others: [], sum: CALLS });
      assert.ok(own >= 20_000, `${own} calls were answered`);
      const { calls } = await statusOf(broker);
      assert.deepEqual([calls.ok + calls.retried, calls.error], [own, full]);
    } finally {
      await broker.stop();
    }
  },
);

test("a module that calls its broker and stops reading: few of its calls run, and all when it goes on", {
  skip: process.platform === "linux" ? false : "needs /proc",
  timeout: 110_000,
}, async () => {
  let ran = 0;
  const fill = (index: number, bytes: number) => {
    ran++;
    return `${index} ${"x".repeat(bytes)}`;
  };
  const broker = await start({ fill });
  const { pid } = await statusOf(broker);
  try {
    const before = process.memoryUsage.rss();
    const flood = broker.call("flooded", "flood", [20_000, 10_000], { timeoutMs: 100_000 });
    while (!await isStopped(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    let last = -1;
    while (ran !== last) {
      last = ran;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const grown = process.memoryUsage.rss() - before;
    assert.ok(ran < 2_000, `${ran} calls ran while nobody read their answers`);
    assert.ok(grown < BOUND_BYTES, `the memory of the broker grew by ${Math.round(grown / MIB)} MiB`);
    assert.equal(await broker.call("bystander", "echo", ["unharmed"], { timeoutMs: 30_000 }), "unharmed");
    process.kill(pid, "SIGCONT");
    assert.equal(await flood, 20_000);
    assert.equal(ran, 20_000, "each of them ran once");
  } finally {
    process.kill(pid, "SIGCONT");
    await broker.stop();
  }
});
