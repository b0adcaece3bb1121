import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CallCancelledError,
  CallTimeoutError,
  PayloadError,
  ProcessGoneError,
  RemoteError,
} from "../../../src/core/faults.ts";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { settle } from "../manual_clock.ts";
import { Conversation, KILLED, NOTHING_LEFT, rejection } from "./conversation.ts";
import { Codec } from "../../../src/core/wire/codec.ts";
import { packAnswers } from "../../../src/core/wire/columns.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { counting, drained } from "./streaming.ts";

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

for (
  const [what, command] of [
    ["generator", function* () {
      yield 1;
      throw new Error("out of reports");
    }],
    ["async generator", async function* () {
      yield 1;
      throw new Error("out of reports");
    }],
    ["async generator that waited", async function* () {
      yield 1;
      await Promise.resolve();
      throw new Error("out of reports");
    }],
  ] as const
) {
  test(`the stack of what a ${what} throws has the user's frames only`, async () => {
    const c = new Conversation({ command });
    const error = await rejection(drained(c, c.stream("command", [])));
    assert.ok(error instanceof RemoteError);
    const stack = error.remoteStack;
    assert.match(stack, /out of reports/);
    assert.match(stack, /stream_ends/);
    assert.doesNotMatch(stack, /OutgoingStream|#?steps|#?stream \(|run \(|userStep|user_code/);
  });
}

test("an iterator of the command's own is asked for nothing more, and told once, when its stream is left", async () => {
  const seen = { asked: 0, left: 0 };
  const c = new Conversation({
    ticks: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const value = ++seen.asked;
          return new Promise((resolve) => c.clock.timer(10, () => resolve({ value, done: false })));
        },
        return: () => {
          seen.left++;
          return Promise.resolve({ value: undefined, done: true });
        },
      }),
    }),
  });
  const stream = c.stream("ticks");
  const first = stream.next();
  await c.clock.advance(10);
  assert.deepEqual(await first, { value: 1, done: false });
  const left = stream.return();
  await c.clock.advance(1_000);
  assert.deepEqual(await left, { value: undefined, done: true });
  assert.deepEqual(seen, { asked: 2, left: 1 });
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

for (const codec of ["json", "rich"] as const) {
  for (
    const [what, sent, kept] of [
      ["5,000 small items", Array.from({ length: 5_000 }, () => 7), 2_048],
      ["items of 300 kB", Array.from({ length: 5 }, () => "x".repeat(300_000)), 2],
      ["items of 300,000 bytes", Array.from({ length: 5 }, () => new Uint8Array(300_000)), 2],
    ] as const
  ) {
    test(`a callee that sends ${what} without credit in ${codec} ends its link, and no more than two windows are held`, async () => {
      const c = new Conversation({ endless: () => new Promise(() => {}) }, { codec });
      const stream = c.stream("endless");
      const first = stream.next();
      await c.clock.advance(0);
      const encoder = new Codec(codec);
      const item = (value: unknown) => ({ id: 1, attempt: 1, kind: 4, value: encoder.encode(value, "item") });
      c.calleeLink.sendPacked(FrameType.answers, packAnswers([item(sent[0])]));
      await c.clock.advance(0);
      assert.equal((await first).done, false);
      c.calleeLink.sendPacked(FrameType.answers, packAnswers(sent.map(item)));
      await c.clock.advance(0);
      assert.ok(c.closed.includes("the stream of [endless] went on without credit"), String(c.closed));
      c.crash();
      let held = 0;
      const failed = await rejection((async () => {
        for await (const _ of stream) held++;
      })());
      assert.ok(failed instanceof ProcessGoneError, String(failed));
      assert.equal(held, kept);
      assert.deepEqual(c.counts(), { error: 1 });
      assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
    });
  }

  test(`a stream whose items share frames with large answers is held against its own bytes alone, in ${codec}`, async () => {
    const c = new Conversation({ endless: () => new Promise(() => {}), large: () => new Promise(() => {}) }, { codec });
    const stream = c.stream("endless");
    const first = stream.next();
    const calls = Array.from({ length: 8 }, () => c.call("large"));
    await c.clock.advance(0);
    const encoder = new Codec(codec);
    const large = [new Uint8Array(200_000), "x".repeat(200_000)];
    for (let id = 2; id <= 9; id++) {
      c.calleeLink.sendPacked(
        FrameType.answers,
        packAnswers([
          { id: 1, attempt: 1, kind: 4, value: encoder.encode(id, "item") },
          { id, attempt: 1, kind: 0, value: encoder.encode(large[id % 2], "result") },
        ]),
      );
    }
    await c.clock.advance(0);
    assert.deepEqual((await Promise.all(calls)).map((value) => value instanceof Uint8Array || typeof value), [
      true,
      "string",
      true,
      "string",
      true,
      "string",
      true,
      "string",
    ]);
    assert.deepEqual([await first, await stream.next()], [{ value: 2, done: false }, { value: 3, done: false }]);
    assert.deepEqual(c.closed, []);
  });
}

test("streams of Dates share frames, and the time of a Date is no length of its item", async () => {
  const dates = Array.from({ length: 3_000 }, (_, index) => new Date(1.7e12 + index));
  const c = new Conversation({ dates: () => dates.values() }, { codec: "rich" });
  const all = Promise.all([drained(c, c.stream("dates")), drained(c, c.stream("dates"))]);
  assert.deepEqual(await all, [{ items: dates, end: undefined }, { items: dates, end: undefined }]);
  assert.deepEqual(c.closed, []);
  assert.deepEqual(c.counts(), { ok: 2 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
