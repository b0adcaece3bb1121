import assert from "node:assert/strict";
import { test } from "node:test";
import { Call } from "../../../src/core/call/call.ts";
import { CallCancelledError, PayloadError, QueueFullError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

function heldCommand() {
  const answers: (() => void)[] = [];
  let running = 0;
  const most = { running: 0 };
  const hold = (value: unknown) => {
    running++;
    most.running = Math.max(most.running, running);
    return new Promise<unknown>((resolve) => {
      answers.push(() => {
        running--;
        resolve(value);
      });
    });
  };
  return { answers, most, commands: { hold, echo: (value: unknown) => value } };
}

function facts(error: unknown) {
  assert.ok(error instanceof QueueFullError, String(error));
  const { name, code, depth, limit, message } = error;
  return { name, code, depth, limit, message };
}

test("call() over the queue's limit of calls rejects at once with QueueFullError", async () => {
  const c = new Conversation({ echo: (value: unknown) => value }, { away: true, queue: 2 });
  const waiting = [c.call("echo", [1]), c.call("echo", [2])];
  assert.deepEqual(facts(await rejection(c.call("echo", [3]))), {
    name: "QueueFullError",
    code: "QUEUE_FULL",
    depth: 2,
    limit: 2,
    message: 'Cannot call command "echo" of module "Livestatus": queue is full (2)',
  });
  assert.deepEqual(c.sent.lines(), [
    callLine("ERROR", "Failed to send command call [echo] for module Livestatus because of error: queue is full (2)"),
  ]);
  c.connect();
  assert.deepEqual(await Promise.all(waiting), [1, 2]);
  assert.deepEqual(c.counts(), { error: 1, ok: 2 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() over the queue's limit of bytes rejects at once with the bytes as depth", async () => {
  const c = new Conversation({ echo: (text: string) => text.length }, { away: true, queueBytes: 1000 });
  const first = c.call("echo", ["x".repeat(596)]); // 600 bytes with ["…"]
  const { depth, limit } = facts(await rejection(c.call("echo", ["x".repeat(397)])));
  assert.deepEqual({ depth, limit }, { depth: 600, limit: 1000 });
  const second = c.call("echo", ["x".repeat(396)]); // exactly the limit
  c.connect();
  assert.deepEqual(await Promise.all([first, second]), [596, 396]);
  assert.deepEqual(c.counts(), { error: 1, ok: 2 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() that has no room in any case is rejected before its parameters are written", async () => {
  const c = new Conversation({ echo: (value: unknown) => value }, { away: true, queueBytes: 1000 });
  const first = c.call("echo", ["x".repeat(596)]);
  let looks = 0;
  const params = {
    get text() {
      looks++;
      return "x".repeat(500);
    },
  };
  assert.deepEqual(facts(await rejection(c.call("echo", [params]))).depth, 600);
  assert.equal(looks, 1);
  const unreadable = await rejection(c.call("echo", [{
    get text() {
      throw new Error("no text");
    },
  }]));
  assert.ok(unreadable instanceof PayloadError, String(unreadable));
  const aborted = await rejection(c.call("echo", [params], { signal: AbortSignal.abort() }));
  assert.ok(aborted instanceof CallCancelledError, String(aborted));
  c.connect();
  assert.equal(await first, "x".repeat(596));
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("queue of 0 lets calls through that can be sent, and no other", async () => {
  const c = new Conversation({ echo: (value: unknown) => value }, { queue: 0 });
  assert.equal(await c.call("echo", [1]), 1);
  c.caller.pause();
  assert.equal(facts(await rejection(c.call("echo", [1]))).limit, 0);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("concurrency limits the calls that run, in the order they were made", async () => {
  const held = heldCommand();
  const c = new Conversation(held.commands, { concurrency: 3 });
  const order: unknown[] = [];
  const calls = Array.from({ length: 10 }, (_, index) => c.call("hold", [index]).then((value) => order.push(value)));
  await settle();
  assert.equal(held.answers.length, 3);
  for (let index = 0; index < 10; index++) {
    held.answers[index]?.();
    await settle();
  }
  await Promise.all(calls);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(held.most.running, 3);
  assert.deepEqual(c.counts(), { ok: 10 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call that was given up holds its place until it is answered, since it may still run", async () => {
  const held = heldCommand();
  const c = new Conversation(held.commands, { concurrency: 1 });
  const failed = rejection(c.call("hold", [1], { retry: "never" }));
  await c.clock.advance(1000);
  await failed;
  const next = c.call("echo", [2]);
  await c.clock.advance(100);
  assert.equal(c.bodies(FrameType.calls).length, 1);
  held.answers[0]?.();
  assert.equal(await next, 2);
  assert.equal(held.most.running, 1);
  assert.deepEqual(c.counts(), { timeout: 1, late: 1, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call that timed out in the queue leaves room for others", async () => {
  const c = new Conversation({ echo: (value: unknown) => value }, { away: true, queue: 1 });
  const failed = rejection(c.call("echo", [1]));
  await c.clock.advance(1000);
  await failed;
  const second = c.call("echo", [2]);
  c.connect();
  assert.equal(await second, 2);
  assert.deepEqual(c.counts(), { timeout: 1, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls wait in the queue while the transport is full, and go on when it has room", async () => {
  const c = new Conversation({ echo: (text: string) => text.length }, { queue: 5 });
  c.callerEnd.stick();
  const big = "x".repeat(300_000);
  const calls = Array.from({ length: 14 }, () => rejection(c.call("echo", [big], { timeoutMs: 5000 })));
  await settle();
  assert.ok(c.callerEnd.unsentBytes < 2_500_000, String(c.callerEnd.unsentBytes));
  c.callerEnd.release();
  const results = (await Promise.all(calls)).map((result) => Reflect.get(Object(result), "resolvedWith"));
  const answered = results.filter((result) => result === 300_000).length;
  assert.equal(answered, c.counters.counts().ok);
  assert.equal(answered + c.counters.counts().error, 14);
  assert.ok(answered >= 9 && c.counters.counts().error > 0, `${answered} answered`);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls leave until 1 MiB of them waits in the transport, and then wait in the queue", async () => {
  for (const [bytes, left] of [[64 * 1024, 16], [512 * 1024, 2], [512 * 1024 - 1_000, 3]] as const) {
    const c = new Conversation({ echo: (text: string) => text.length }, { codec: "rich" });
    c.callerEnd.stick();
    const calls: Promise<unknown>[] = [];
    for (let call = 0; call < 20; call++) {
      calls.push(c.call("echo", ["x".repeat(bytes)], { timeoutMs: 60_000 }));
      await settle();
    }
    assert.equal(Math.floor(c.callerEnd.unsentBytes / bytes), left, `${bytes} bytes each`);
    c.callerEnd.release();
    assert.deepEqual(await Promise.all(calls), Array.from({ length: 20 }, () => bytes));
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  }
});

test("large calls go on one after the other where the transport takes all at once", async () => {
  const c = new Conversation({ echo: (text: string) => text.length });
  const calls = Array.from({ length: 30 }, () => c.call("echo", ["x".repeat(900_000)]));
  assert.deepEqual(await Promise.all(calls), Array.from({ length: 30 }, () => 900_000));
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("100,000 calls at once to a callee that does not answer: bounded, the rest QueueFullError at once", async () => {
  const held = heldCommand();
  const c = new Conversation(held.commands);
  let full = 0;
  for (let count = 0; count < 100_000; count++) {
    const call = new Call("hold", { target: "Livestatus", timeoutMs: 1000, retry: "never", passedOn: true }, {
      resolve: () => {},
      reject: (fault) => {
        if (fault.code === "QUEUE_FULL") full++;
      },
    });
    c.caller.submit(call, [count]);
  }
  assert.ok(full > 10_000 && full < 20_000, String(full));
  assert.equal(c.caller.pending, 100_000 - full);
  await settle();
  assert.ok(held.answers.length > 60_000 && held.answers.length < 70_000, String(held.answers.length));
  await c.clock.advance(1000);
  assert.equal(c.counters.counts().timeout, 100_000 - full);
  assert.equal(c.caller.pending, 0);
});

test("10,000 calls at once each get their own answer", async () => {
  const held = heldCommand();
  const c = new Conversation(held.commands);
  const calls = Array.from({ length: 10_000 }, (_, index) => c.call("hold", [index]));
  await settle();
  assert.equal(held.answers.length, 10_000);
  for (const answer of held.answers.toReversed()) answer();
  assert.deepEqual(await Promise.all(calls), Array.from({ length: 10_000 }, (_, index) => index));
  const ids = c.bodies(FrameType.calls).flatMap((body) => Array.isArray(body) ? body[1] : []);
  assert.deepEqual(ids, Array.from({ length: 10_000 }, (_, index) => index + 1));
  assert.deepEqual(c.counts(), { ok: 10_000 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("callee runs no further calls while the caller does not read its answers", async () => {
  let runs = 0;
  const c = new Conversation({
    big() {
      runs++;
      return "x".repeat(1_000_000);
    },
  });
  c.calleeEnd.stick();
  const calls = Array.from({ length: 40 }, () => c.call("big"));
  await settle();
  assert.ok(runs >= 4 && runs <= 6, `${runs} ran`);
  assert.ok(c.calleeEnd.unsentBytes < 7_000_000);
  for (let turn = 0; turn < 40; turn++) {
    c.calleeEnd.release();
    c.calleeEnd.stick();
    await settle();
  }
  c.calleeEnd.release();
  const results = await Promise.all(calls);
  assert.equal(results.length, 40);
  assert.equal(runs, 40);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
