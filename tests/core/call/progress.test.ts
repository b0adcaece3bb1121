import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError, RemoteError } from "../../../src/core/faults.ts";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

/** A command that tells its progress every `ms`, `steps` times, and then answers. */
function steps(clock: () => Conversation["clock"]) {
  return {
    async work(this: CallContext, ms: number, count: number) {
      for (let step = 1; step <= count; step++) {
        await new Promise<void>((resolve) => clock().timer(ms, resolve));
        this.progress({ step });
      }
      return "done";
    },
  };
}

function working(): Conversation {
  const c: Conversation = new Conversation(steps(() => c.clock));
  return c;
}

test("onProgress gets every value, and each begins the time for an answer anew", async () => {
  const c = working();
  const seen: unknown[] = [];
  const result = c.call("work", [900, 5], { onProgress: (value) => seen.push(value) });
  await c.clock.advance(5_000);
  assert.equal(await result, "done");
  assert.deepEqual(seen, [{ step: 1 }, { step: 2 }, { step: 3 }, { step: 4 }, { step: 5 }]);
  assert.deepEqual(c.sent.ids(), ["call.answered"]);
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("progress() needs no receiver, so that a command passes it on as the onProgress of a call of its own", async () => {
  const c: Conversation = new Conversation({
    async work(this: CallContext) {
      const { progress } = this;
      await Promise.resolve();
      [1, 2].forEach((value) => progress(value));
      return "done";
    },
  });
  const seen: unknown[] = [];
  const result = c.call("work", [], { onProgress: (value) => seen.push(value) });
  await c.clock.advance(1);
  assert.equal(await result, "done");
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("progress gives time also to a call that does not listen to it", async () => {
  const c = working();
  const result = c.call("work", [900, 3]);
  await c.clock.advance(3_000);
  assert.equal(await result, "done");
  assert.deepEqual(c.counts(), { ok: 1 });
});

test("totalTimeoutMs ends a call whatever progress it makes, and the command is told", async () => {
  const c = working();
  const failed = rejection(c.call("work", [100, 1_000], { totalTimeoutMs: 2_500 }));
  await c.clock.advance(2_500);
  const error = await failed;
  assert.ok(error instanceof CallTimeoutError);
  assert.deepEqual([error.timeoutMs, error.attempts, error.sent, error.peer], [2_500, 1, true, "slow"]);
  const line = "Failed to send command call [work] for module Livestatus because of timeout (2.5s).";
  assert.deepEqual(c.sent.lines()[0], callLine("ERROR", line));
  assert.deepEqual(c.counts(), { timeout: 1 });
});

test("totalTimeoutMs that is over before the first attempt is ends the call without a retry", async () => {
  const c = new Conversation({ wait: () => new Promise(() => {}) });
  c.calleeEnd.block();
  const failed = rejection(c.call("wait", [], { totalTimeoutMs: 400 }));
  await c.clock.advance(400);
  const error = await failed;
  assert.ok(error instanceof CallTimeoutError);
  assert.deepEqual([error.timeoutMs, error.attempts, error.peer], [400, 1, "blocked"]);
  assert.deepEqual(c.sent.ids(), ["call.timeout", "call.silence"]);
});

test("totalTimeoutMs counts from the call, also while it waits in the queue", async () => {
  const c = new Conversation({}, { away: true });
  const failed = rejection(c.call("wait", [], { totalTimeoutMs: 400 }));
  await c.clock.advance(400);
  const error = await failed;
  assert.ok(error instanceof CallTimeoutError);
  assert.deepEqual([error.timeoutMs, error.attempts, error.sent], [400, 0, false]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("progress that can't be sent throws in the command, and progress after its end reaches nobody", async () => {
  let context: CallContext | undefined;
  const c = new Conversation({
    bad(this: CallContext) {
      context = this;
      this.progress(() => {});
    },
  });
  const seen: unknown[] = [];
  const error = await rejection(c.call("bad", [], { onProgress: (value) => seen.push(value) }));
  assert.ok(error instanceof RemoteError);
  assert.match(error.message, /^Cannot send progress: result is not serializable: /);
  context?.progress("too late");
  await c.clock.advance(10);
  assert.deepEqual(seen, []);
  assert.deepEqual(c.counts(), { error: 1 });
});

test("progress while the caller does not read is left out instead of kept", async () => {
  const c = new Conversation({
    loud(this: CallContext) {
      for (let part = 0; part < 1_000; part++) this.progress("x".repeat(100_000));
      return "done";
    },
  });
  c.calleeEnd.stick();
  const seen: unknown[] = [];
  const result = c.call("loud", [], { onProgress: (value) => seen.push(value) });
  await c.clock.advance(100);
  assert.ok(c.calleeEnd.unsentBytes < 5 * 1024 * 1024, `${c.calleeEnd.unsentBytes} bytes are kept`);
  c.calleeEnd.release();
  await c.clock.advance(0);
  assert.equal(await result, "done");
  assert.ok(seen.length > 0 && seen.length < 50, `${seen.length} came`);
});
