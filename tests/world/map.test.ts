// What a long map costs: too long for the suite.
import { Broker, defineModule } from "brokkr";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const ITEMS = 1_000_000;
const TEXT = "x".repeat(1_000);
const MIB = 1024 * 1024;

const shop = defineModule({
  name: "shop",
  workers: { count: 2, commands: { label: (item: number) => `${item} ${TEXT}` } },
});

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

async function* items(): AsyncGenerator<number> {
  for (let item = 0; item < ITEMS; item++) yield item;
}

test("a million items through a module and its workers, in one process with them, take no memory that lasts", async () => {
  await using broker = await Broker.start({ name: "b", modules: [shop], inProcess: true, logLevel: "error" });
  const held: number[] = [];
  let taken = 0;
  for await (
    const label of broker.workers(shop).map(items(), { command: "label", concurrency: 64, timeoutMs: 60_000 })
  ) {
    if (!label.startsWith(`${taken} `)) assert.fail(`item ${taken} became ${label.slice(0, 20)}`);
    if (++taken % (ITEMS / 10) !== 0) continue;
    // What is held, not the pages of the process: how many of those the engine keeps for later is its own affair.
    collect();
    const { heapUsed, external } = process.memoryUsage();
    held.push(heapUsed + external);
  }
  assert.equal(taken, ITEMS);
  // The results alone are a gigabyte; 16 bytes that stay of each item are 14 MiB.
  const [first = 0, ...later] = held;
  const grown = Math.round((Math.max(...later) - first) / MIB);
  assert.ok(grown < 10, `it grew by ${grown} MiB from the first tenth on`);
});
