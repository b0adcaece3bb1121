import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CallCancelledError,
  CallTimeoutError,
  PayloadError,
  ProcessGoneError,
  RemoteError,
} from "../../../src/core/errors.ts";
import { FrameType } from "../../../src/core/frame/header.ts";
import type { CallContext } from "../../../src/core/module.ts";
import { settle } from "../manual_clock.ts";
import { callLine, Conversation, KILLED, NOTHING_LEFT, rejection } from "./conversation.ts";

/** A command that yields 1, 2, 3 … `count`, and what became of it. */
function counting() {
  const seen = { yielded: 0, ended: 0, aborted: false };
  return {
    seen,
    commands: {
      async *count(this: CallContext, count: number) {
        this.signal.addEventListener("abort", () => seen.aborted = true);
        try {
          for (let number = 1; number <= count; number++) {
            seen.yielded = number;
            yield number;
          }
          return "all";
        } finally {
          seen.ended++;
        }
      },
      plain: () => 7,
      list: () => [1, 2],
    },
  };
}

/** What a stream gives until its end, and its end. */
async function drain(stream: AsyncIterator<unknown>): Promise<{ items: unknown[]; end: unknown }> {
  const items: unknown[] = [];
  for (;;) {
    const step = await stream.next();
    if (step.done === true) return { items, end: step.value };
    items.push(step.value);
  }
}

/** The same while the clock goes on, since parts of an answer leave when the event loop turns. */
async function drained(c: Conversation, stream: AsyncIterator<unknown>) {
  const all = drain(stream);
  for (let turn = 0; turn < 50; turn++) await c.clock.advance(0);
  return await all;
}

for (const codec of ["json", "compact"] as const) {
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

test("leaving a stream ends the command with its finally block, and is a good end", async () => {
  const module = counting();
  const c = new Conversation(module.commands);
  const read = (async () => {
    for await (const number of c.stream("count", [1_000_000])) if (number === 3) return number;
    return null;
  })();
  for (let turn = 0; turn < 10; turn++) await c.clock.advance(0);
  assert.equal(await read, 3);
  assert.deepEqual([module.seen.ended, module.seen.aborted], [1, true]);
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(c.sent.ids(), ["call.answered"]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("leaving a stream whose command does not end settles after a while", async () => {
  const c = new Conversation({
    async *stuck() {
      yield 1;
      await new Promise(() => {});
    },
  });
  const stream = c.stream("stuck");
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  const left = stream.return();
  await c.clock.advance(100);
  assert.deepEqual(await left, { value: undefined, done: true });
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a signal that is aborted while the command of a left stream ends changes nothing", async () => {
  const c = new Conversation({
    async *stuck() {
      yield 1;
      await new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const stream = c.stream("stuck", [], { signal: controller.signal });
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  const left = stream.return();
  await c.clock.advance(50);
  controller.abort();
  await c.clock.advance(50);
  assert.deepEqual(await left, { value: undefined, done: true });
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("an error in the middle of a stream comes after the items before it, once", async () => {
  const c = new Conversation({
    async *some() {
      yield "a";
      yield "b";
      throw new RangeError("no more");
    },
  });
  const stream = c.stream("some");
  const first = stream.next();
  await c.clock.advance(0);
  assert.deepEqual([await first, await stream.next()], [{ value: "a", done: false }, { value: "b", done: false }]);
  const error = await rejection(stream.next());
  assert.ok(error instanceof RemoteError);
  assert.deepEqual([error.remoteName, error.message], ["RangeError", "no more"]);
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  assert.deepEqual(c.counts(), { error: 1 });
  assert.ok(c.sent.lines().at(-1)?.endsWith("because of error: no more"));
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("an item that can't be sent ends the stream with PayloadError, and the command with its finally block", async () => {
  let ended = false;
  const c = new Conversation({
    *some() {
      try {
        yield 1;
        yield () => {};
      } finally {
        ended = true;
      }
    },
  });
  const stream = c.stream("some");
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  const error = await rejection(stream.next());
  assert.ok(error instanceof PayloadError, String(error));
  assert.match(error.reason, /^result is not serializable: /);
  assert.equal(ended, true);
  assert.deepEqual(c.counts(), { error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a process that ends in the middle of a stream rejects it as gone, after the items that came", async () => {
  const c = new Conversation(counting().commands);
  const stream = c.stream("count", [1_000_000]);
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  c.crash();
  let items = 0;
  const failed = rejection((async () => {
    for await (const _ of stream) items++;
  })());
  await settle();
  await settle();
  for (let turn = 0; turn < 100; turn++) await settle();
  const error = await failed;
  assert.ok(error instanceof ProcessGoneError);
  assert.deepEqual(error.lastLines, KILLED.code === "GONE" ? KILLED.lastLines : []);
  assert.ok(items > 0);
  assert.deepEqual(c.counts(), { error: 1 });
});

test("a signal cancels a stream in the middle: what came and was not taken is dropped", async () => {
  const module = counting();
  const c = new Conversation(module.commands);
  const controller = new AbortController();
  const stream = c.stream("count", [1_000_000], { signal: controller.signal });
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  controller.abort("changed my mind");
  const failed = rejection(stream.next());
  await c.clock.advance(0);
  const error = await failed;
  assert.ok(error instanceof CallCancelledError, String(error));
  assert.deepEqual([error.acknowledged, error.cause], [true, "changed my mind"]);
  assert.equal(module.seen.ended, 1);
  assert.deepEqual(c.counts(), { cancelled: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("stream() whose next item does not come in time is retried, joined, and then given up: the command is told", async () => {
  let aborted = false;
  const c = new Conversation({
    async *once(this: CallContext) {
      this.signal.addEventListener("abort", () => aborted = true);
      yield 1;
      await new Promise((resolve) => this.signal.addEventListener("abort", resolve));
    },
  });
  const stream = c.stream("once");
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  await c.clock.advance(30_000);
  const failed = rejection(stream.next());
  await c.clock.advance(2_000);
  const error = await failed;
  assert.ok(error instanceof CallTimeoutError, String(error));
  assert.deepEqual([error.attempts, error.peer, error.timeoutMs], [2, "slow", 1_000]);
  assert.equal(aborted, true);
  assert.deepEqual(c.sent.ids().filter((id) => id !== "call.silence"), ["call.retry", "call.timeout", "answer.late"]);
  assert.deepEqual(c.counts(), { timeout: 1, late: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

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
