import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { Conversation } from "./conversation.ts";

const ECHO = { echo: (value: unknown) => value };

/** How many calls each frame of the caller had, from frame `first` on. */
function calls(c: Conversation, first = 0): number[] {
  return c.bodies(FrameType.calls).slice(first).map((body) => Array.isArray(body) ? body[1].length : NaN);
}

test("the few calls of one turn share a frame", async () => {
  const c = new Conversation(ECHO);
  await Promise.all([1, 2, 3, 4, 5, 6, 7].map((value) => c.call("echo", [value])));
  assert.deepEqual(calls(c), [7]);
});

test("of many calls without one before, the first leave at once, and no frame has more than 256", async () => {
  const c = new Conversation(ECHO);
  await Promise.all(Array.from({ length: 3000 }, (_, value) => c.call("echo", [value])));
  const sizes = calls(c);
  assert.equal(sizes[0], 8);
  assert.equal(Math.max(...sizes), 256);
  assert.equal(sizes.reduce((sum, size) => sum + size), 3000);
});

for (const [out, part] of [[100, 25], [1000, 250], [1600, 256]] as const) {
  test(`a caller of ${out} calls that gets all answers at once sends the next ones in parts of ${part}`, async () => {
    const c = new Conversation(ECHO);
    c.callerEnd.block();
    const lanes = Array.from({ length: out }, async () => {
      await c.call("echo", [1]);
      await c.call("echo", [2]);
    });
    await settle();
    const first = calls(c).length;
    c.callerEnd.unblock();
    await Promise.all(lanes);
    const sizes = calls(c, first);
    assert.deepEqual(sizes.slice(0, -1), Array(sizes.length - 1).fill(part));
    assert.equal(sizes.at(-1), out % part === 0 ? part : out % part);
  });
}

test("that many calls were out is forgotten: then the first ones of many leave at once again", async () => {
  const c = new Conversation(ECHO);
  await Promise.all(Array.from({ length: 3000 }, (_, value) => c.call("echo", [value])));
  for (let round = 0; round < 50; round++) await c.call("echo", [round]);
  const first = calls(c).length;
  await Promise.all(Array.from({ length: 20 }, (_, value) => c.call("echo", [value])));
  assert.deepEqual(calls(c, first), [8, 8, 4]);
});

/** How many answers each frame of the callee had. */
function answers(c: Conversation): number[] {
  return c.bodies(FrameType.answers, c.calleeEnd).map((body) => Array.isArray(body) ? body[0].length : NaN);
}

test("half of the answers leave early where one frame holds all calls, and the caller has nothing else to do", async () => {
  const c = new Conversation(ECHO);
  await Promise.all(Array.from({ length: 4 }, () => c.call("echo", ["x".repeat(100)])));
  assert.deepEqual([calls(c), answers(c)], [[4], [3, 1]]);
});

test("the answers to a frame leave together where most calls are in other frames", async () => {
  const c = new Conversation(ECHO);
  await Promise.all(Array.from({ length: 32 }, () => c.call("echo", ["x".repeat(100)])));
  assert.deepEqual(calls(c), [5, 5, 5, 5, 5, 7]);
  assert.deepEqual(answers(c), [3, 2, 3, 2, 5, 5, 5, 7]);
});
