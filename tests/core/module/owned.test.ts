import assert from "node:assert/strict";
import { test } from "node:test";
import { Owned } from "../../../src/core/module/dispose.ts";

async function disposeAll(owned: Owned): Promise<void> {
  for (const dispose of owned.disposals()) await dispose();
}

test("Owned disposes of each resource once, in the order they were added", async () => {
  const seen: string[] = [];
  const first = () => void seen.push("first");
  const owned = new Owned([first, { close: () => void seen.push("second") }]);
  owned.add(first);
  assert.equal(owned.size, 2);
  await disposeAll(owned);
  await disposeAll(owned);
  assert.deepEqual([seen, owned.size], [["first", "second"], 0]);
});

test("Owned forgets what is disposed of by its symbol, with this, arguments and result as they were", async () => {
  for (const symbol of [Symbol.dispose, Symbol.asyncDispose]) {
    const seen: unknown[] = [];
    class Pool {
      [symbol](): string {
        seen.push(this);
        return "result";
      }
    }
    const pool = new Pool();
    const owned = new Owned([pool]);
    assert.deepEqual(Object.keys(pool), []);
    assert.equal(Reflect.apply(Reflect.get(pool, symbol), pool, []), "result");
    assert.deepEqual([seen, owned.size], [[pool], 0]);
    await disposeAll(owned);
    assert.equal(seen.length, 1);
    // It may be taken into use once more.
    owned.add(pool);
    await disposeAll(owned);
    assert.equal(seen.length, 2);
  }
});

test("Owned skips what says that it has ended by the time of its turn", async () => {
  const seen: string[] = [];
  const socket = { destroyed: false, destroy: () => void seen.push("socket") };
  const owned = new Owned([() => void (socket.destroyed = true), socket]);
  await disposeAll(owned);
  assert.deepEqual(seen, []);
});

test("Owned takes a frozen resource and disposes of it", async () => {
  const seen: string[] = [];
  const owned = new Owned([Object.freeze({ [Symbol.dispose]: () => void seen.push("frozen") })]);
  await disposeAll(owned);
  assert.deepEqual(seen, ["frozen"]);
});

test("Owned does not grow by resources that have ended", () => {
  const owned = new Owned();
  for (let index = 0; index < 1000; index++) {
    const socket = { destroyed: false, destroy() {} };
    owned.add(socket);
    socket.destroyed = true;
  }
  assert.ok(owned.size <= 64, String(owned.size));
});

test("a resource that throws when it is looked at is no hindrance to those that come after it", async () => {
  const owned = new Owned();
  let isBad = false;
  const bad = {
    get close(): () => void {
      if (isBad) throw new Error("mine");
      return () => {};
    },
  };
  owned.add(bad);
  isBad = true;
  let closed = 0;
  const count = 200;
  for (let index = 0; index < count; index++) owned.add({ close: () => void closed++ });
  const outcomes = await Promise.allSettled(owned.disposals().map((disposal) => disposal()));
  assert.equal(closed, count);
  assert.deepEqual(outcomes.filter(({ status }) => status === "rejected").length, 1);
});
