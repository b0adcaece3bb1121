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
  let taken = 0;
  let atFirst = 0;
  let most = 0;
  for await (
    const label of broker.workers(shop).map(items(), { command: "label", concurrency: 64, timeoutMs: 60_000 })
  ) {
    if (!label.startsWith(`${taken} `)) assert.fail(`item ${taken} became ${label.slice(0, 20)}`);
    if (++taken % 10_000 !== 0) continue;
    const { rss } = process.memoryUsage();
    // By then what the runtime compiles and caches is there.
    if (taken === ITEMS / 10) atFirst = rss;
    if (taken >= ITEMS / 10) most = Math.max(most, rss);
  }
  assert.equal(taken, ITEMS);
  // The results alone are a gigabyte.
  const grown = Math.round((most - atFirst) / MIB);
  assert.ok(grown < 100, `it grew by ${grown} MiB from the first tenth on`);
});
