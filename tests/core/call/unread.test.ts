import assert from "node:assert/strict";
import { test } from "node:test";
import { QueueFullError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { frame } from "../frames.ts";
import { Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

const LIMITS = { calls: 4, bytes: 100_000 };

/** A calls frame of `count` calls of one command, with ids from `first`. */
function calls(command: string, first: number, count: number, params: readonly unknown[] = []): Uint8Array {
  const ids = Array.from({ length: count }, (_, index) => first + index);
  return frame(FrameType.calls, JSON.stringify([1, ids, 0, ids.map(() => command), ids.map(() => params), 0]));
}

test("calls beyond those that a peer may have without an answer get QUEUE_FULL at once, and the next ones run", async () => {
  const ends: (() => void)[] = [];
  const c = new Conversation({ wait: () => new Promise<void>((resolve) => ends.push(resolve)) }, { limits: LIMITS });
  const waiting = Array.from({ length: 4 }, () => c.call("wait"));
  const full = await rejection(c.call("wait"));
  assert.ok(full instanceof QueueFullError, String(full));
  assert.deepEqual([full.depth, full.limit, ends.length], [4, 4, 4]);
  for (const end of ends) end();
  await Promise.all(waiting);
  const next = c.call("wait");
  await c.clock.advance(0);
  ends.at(-1)?.();
  await next;
  assert.equal(ends.length, 5);
  assert.deepEqual(c.counts(), { ok: 5, error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls whose parameters are more bytes than a peer may have without an answer get QUEUE_FULL at once", async () => {
  const ends: (() => void)[] = [];
  const c = new Conversation({ wait: () => new Promise<void>((resolve) => ends.push(resolve)) }, { limits: LIMITS });
  const waiting = [c.call("wait", ["x".repeat(60_000)])];
  await c.clock.advance(0);
  waiting.push(c.call("wait", ["x".repeat(60_000)]));
  await c.clock.advance(0);
  const full = await rejection(c.call("wait", [1]));
  assert.ok(full instanceof QueueFullError, String(full));
  assert.ok(full.depth > 120_000 && full.depth < 121_000, String(full.depth));
  assert.equal(full.limit, 100_000);
  for (const end of ends) end();
  await Promise.all(waiting);
  assert.deepEqual(c.counts(), { ok: 2, error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a peer that calls and reads no answers is cut off with the reason, and its calls do not run", async () => {
  let runs = 0;
  const c = new Conversation({ huge: () => "x".repeat(5_000_000), count: () => ++runs }, { limits: LIMITS });
  c.calleeEnd.stick();
  c.calleeEnd.deliver(calls("huge", 1, 1));
  await c.clock.advance(0);
  c.calleeEnd.deliver(calls("count", 2, 4));
  await c.clock.advance(0);
  assert.equal(c.closed.length, 0);
  c.calleeEnd.deliver(calls("count", 6, 1_000));
  c.calleeEnd.deliver(calls("count", 1_006, 1_000));
  await c.clock.advance(0);
  assert.equal(runs, 0);
  assert.ok(c.closed.includes("the peer calls and does not read its answers"), String(c.closed));
  assert.ok(c.calleeEnd.unsentBytes < 5_001_000, String(c.calleeEnd.unsentBytes));
  c.callee.abort();
  assert.equal(c.clock.timers, 0);
});

test("calls that run when their caller stops reading end without a result where more answers wait than the memory may hold", async () => {
  const ends: ((value: string) => void)[] = [];
  const limits = { calls: 100, bytes: 100_000, unreadBytes: 100_000 };
  const c = new Conversation({ wait: () => new Promise<string>((resolve) => ends.push(resolve)) }, { limits });
  const outcomes = Array.from({ length: 10 }, () => c.call("wait").then(() => "answered", (error) => error));
  await c.clock.advance(0);
  c.calleeEnd.stick();
  for (const end of ends) {
    end("x".repeat(30_000));
    await c.clock.advance(0);
  }
  assert.ok(c.calleeEnd.unsentBytes > 100_000 && c.calleeEnd.unsentBytes < 131_000, String(c.calleeEnd.unsentBytes));
  c.calleeEnd.release();
  const settled = await Promise.all(outcomes);
  assert.deepEqual(settled.slice(0, 4), Array(4).fill("answered"));
  assert.ok(settled.slice(4).every((error) => error instanceof QueueFullError && error.limit === 100_000));
  assert.deepEqual(c.counts(), { ok: 4, error: 6 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("further attempts of an answered call, and pings, add nothing for a peer that does not read", async () => {
  const c = new Conversation({ huge: () => "x".repeat(5_000_000) });
  c.calleeEnd.stick();
  c.calleeEnd.deliver(calls("huge", 1, 1));
  await c.clock.advance(0);
  const unsent = c.calleeEnd.unsentBytes;
  for (let attempt = 2; attempt < 20; attempt++) {
    c.calleeEnd.deliver(frame(FrameType.calls, JSON.stringify([1, [1], [attempt], ["huge"], [[]], 0])));
  }
  await c.clock.advance(0);
  assert.equal(c.calleeEnd.unsentBytes, unsent);
  c.calleeEnd.unsentBytes = 8 * 1024 * 1024;
  for (let count = 0; count < 100; count++) c.calleeEnd.deliver(frame(FrameType.ping, "1"));
  await c.clock.advance(0);
  assert.equal(c.calleeEnd.unsentBytes, 8 * 1024 * 1024);
  c.calleeEnd.release();
  await c.clock.advance(0);
  const before = c.calleeEnd.written.length;
  c.calleeEnd.deliver(frame(FrameType.ping, "1"));
  c.calleeEnd.deliver(frame(FrameType.calls, JSON.stringify([1, [1], [20], ["huge"], [[]], 0])));
  await c.clock.advance(0);
  const written = c.calleeEnd.written.slice(before);
  assert.ok(written.some((bytes) => bytes.length > 5_000_000), "the answer again");
  assert.ok(written.some((bytes) => bytes[2] === FrameType.pong));
  c.callee.abort();
  assert.equal(c.clock.timers, 0);
});
