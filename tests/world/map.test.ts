// What a long map costs: too long for the suite.
import { Broker, defineModule } from "brokkr";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";

const ITEMS = 1_000_000;
const TEXT = "x".repeat(1_000);
const MIB = 1024 * 1024;

const shop = defineModule({
  name: "shop",
  workers: { count: 2, commands: { label: (item: number) => `${item} ${TEXT}` } },
});

async function* items(): AsyncGenerator<number> {
  for (let item = 0; item < ITEMS; item++) yield item;
}

test("a million items through a module and its workers, in one process with them, take no memory that lasts", async () => {
  await using broker = await Broker.start({ name: "b", modules: [shop], inProcess: true, logLevel: "error" });
  const lowest = new Array<number>(10).fill(Infinity);
  let taken = 0;
  for await (
    const label of broker.workers(shop).map(items(), { command: "label", concurrency: 64, timeoutMs: 60_000 })
  ) {
    if (!label.startsWith(`${taken} `)) assert.fail(`item ${taken} became ${label.slice(0, 20)}`);
    const tenth = Math.floor(10 * taken / ITEMS);
    if (++taken % 1_000 !== 0) continue;
    // What is in use after a collection. How many pages the engine keeps beside it, for later, is its own affair.
    const { heapUsed, external } = process.memoryUsage();
    lowest[tenth] = Math.min(lowest[tenth] ?? Infinity, heapUsed + external);
  }
  assert.equal(taken, ITEMS);
  // The results alone are a gigabyte; 64 bytes that stay of each item are 60 MiB.
  const [first = 0, ...later] = lowest;
  const grown = Math.round((Math.max(...later) - first) / MIB);
  assert.ok(grown < 50, `it grew by ${grown} MiB from the first tenth on`);
});
