import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";
import { counting, drained } from "./streaming.ts";

for (const codec of ["json", "rich"] as const) {
  test(`stream() gives the items in order and what the command returned, in ${codec}`, async () => {
    const module = counting();
    const c = new Conversation(module.commands, { codec });
    assert.deepEqual(await drained(c, c.stream("count", [5])), { items: [1, 2, 3, 4, 5], end: "all" });
    assert.deepEqual(module.seen, { yielded: 5, ended: 1, aborted: false });
    assert.deepEqual(c.counts(), { ok: 1 });
    assert.deepEqual(c.sent.lines(), [
      callLine("DEBUG", "The command call [count] was executed by the module Livestatus in 0.000s"),
    ]);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("stream() sends nothing before the first item is asked for", async () => {
  const c = new Conversation(counting().commands);
  const stream = c.stream("count", [5]);
  await c.clock.advance(10);
  assert.deepEqual(c.callerEnd.written, []);
  assert.deepEqual(await stream.return("enough"), { value: "enough", done: true });
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  assert.deepEqual(c.counts(), {});
});

test("stream() of a reader that does not read lets the command go 1,024 items ahead", async () => {
  const module = counting();
  const c = new Conversation(module.commands);
  const stream = c.stream("count", [5_000]);
  const first = stream.next();
  await c.clock.advance(60_000);
  assert.deepEqual(await first, { value: 1, done: false });
  assert.equal(module.seen.yielded, 1_024);
  assert.deepEqual(c.sent.ids(), [], "nobody waits, so nothing times out");
  assert.equal((await drained(c, stream)).items.length, 4_999);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("stream() of a reader that does not read holds at most 256 KiB and an item", async () => {
  let yielded = 0;
  const c = new Conversation({
    *blocks() {
      for (;;) yield "x".repeat(100_000 + yielded++);
    },
  });
  const stream = c.stream("blocks");
  const first = stream.next();
  await c.clock.advance(100);
  await first;
  await c.clock.advance(100);
  assert.equal(yielded, 3);
  const left = stream.return();
  await c.clock.advance(0);
  await left;
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("stream() of a small item and many large ones has room for each that its reader took", async () => {
  const c = new Conversation({
    *growing() {
      yield "x";
      for (let large = 0; large < 20; large++) yield "x".repeat(100_000);
    },
  });
  const { items } = await drained(c, c.stream("growing"));
  assert.deepEqual(items.map((item) => String(item).length), [1, ...Array<number>(20).fill(100_000)]);
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

for (const codec of ["json", "rich"] as const) {
  test(`stream() of items of other scripts has room for each that its reader took, in ${codec}`, async () => {
    const c = new Conversation({
      *texts() {
        for (let index = 0; index < 30; index++) yield { text: "中é".repeat(20_000), index };
      },
      echo: (value: unknown) => value,
    }, { codec });
    const stream = c.stream("texts");
    const first = stream.next();
    await c.clock.advance(100);
    assert.equal(Reflect.get(Object((await first).value), "index"), 0);
    // Those of one frame are counted by its length, and one by one where it has other answers.
    const other = c.call("echo", ["中".repeat(1_000)]);
    const { items } = await drained(c, stream);
    assert.equal(items.length, 29);
    assert.equal(await other, "中".repeat(1_000));
    assert.deepEqual([c.closed, c.refused], [[], []]);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("stream() of a command that returns a list gives its items", async () => {
  const c = new Conversation(counting().commands);
  assert.deepEqual(await drained(c, c.stream("list")), { items: [1, 2], end: undefined });
});

test("stream() of a command that yields nothing, and call() of one that yields, say which to use", async () => {
  const c = new Conversation(counting().commands);
  const stream = rejection(c.stream("plain").next());
  const call = rejection(c.call("count", [2]));
  await c.clock.advance(0);
  assert.match(String(await stream), /the command yields nothing, use call\(\) instead of stream\(\)/);
  assert.match(String(await call), /the command yields its result, use stream\(\) instead of call\(\)/);
});

test("items that come for a call that is no stream, or for none, are counted and reach nobody", async () => {
  const c = new Conversation({ wait: () => new Promise(() => {}) });
  const waiting = rejection(c.call("wait", [], { timeoutMs: 100, retry: "never" }));
  await settle();
  await c.answer([9], ["item"], 4);
  assert.deepEqual(c.counts(), { unknown: 1 });
  await c.answer([1], ["item"], 4);
  await c.clock.advance(200);
  assert.ok(await waiting instanceof CallTimeoutError);
  await c.answer([1], ["item"], 4);
  assert.deepEqual(c.counts(), { unknown: 1, timeout: 1 });
});

test("a stream's credit travels as how many items were taken, once a turn", async () => {
  const c = new Conversation(counting().commands);
  const stream = c.stream("count", [10_000]);
  const read = (async () => {
    for (let item = 0; item < 200; item++) await stream.next();
  })();
  for (let turn = 0; turn < 10; turn++) await c.clock.advance(0);
  await read;
  const told = c.bodies(FrameType.credit).flat();
  const [id, count] = JSON.parse(JSON.stringify(told.at(-1) ?? []));
  assert.equal(id, 1);
  assert.ok(count > 200 - 128 && count <= 200, `${count} were told`);
  assert.ok(told.length < 20, `${told.length} times for 200 items`);
});
