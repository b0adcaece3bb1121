import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCancelledError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { settle } from "../manual_clock.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

const CANCELLED_LINE = callLine(
  "ERROR",
  "Failed to send command call [wait] for module Livestatus because of error: cancelled",
);

/** An abort controller that counts who listens. */
function countedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const counted = { controller, signal, listeners: 0 };
  for (const [method, step] of [["addEventListener", 1], ["removeEventListener", -1]] as const) {
    const original: unknown = Reflect.get(signal, method);
    const value = (...args: unknown[]) => {
      counted.listeners += step;
      if (typeof original === "function") Reflect.apply(original, signal, args);
    };
    Object.defineProperty(signal, method, { value });
  }
  return counted;
}

/** A module that notes what runs and what is told to stop; `stops`: whether it does. */
function waiting(stops: boolean) {
  const seen: string[] = [];
  return {
    seen,
    commands: {
      wait(this: CallContext) {
        seen.push(`runs ${this.id}`);
        return new Promise((_, reject) => {
          this.signal.addEventListener("abort", () => {
            seen.push(`told: ${this.signal.reason}`);
            if (stops) reject(new Error("stopped"));
          });
        });
      },
      quick: () => "quick",
    },
  };
}

function facts(error: unknown) {
  assert.ok(error instanceof CallCancelledError, String(error));
  const { name, code, acknowledged, cause, message } = error;
  return { name, code, acknowledged, cause, message };
}

function expected(acknowledged: boolean, cause: unknown) {
  const message = 'Cannot call command "wait" of module "Livestatus": cancelled';
  return { name: "CallCancelledError", code: "CANCELLED", acknowledged, cause, message };
}

test("call() with a signal that is aborted already is cancelled, acknowledged, and nothing is sent", async () => {
  const c = new Conversation(waiting(true).commands);
  const error = await rejection(c.call("wait", [], { signal: AbortSignal.abort("why") }));
  assert.deepEqual(facts(error), expected(true, "why"));
  assert.deepEqual(c.sent.lines(), [CANCELLED_LINE]);
  assert.deepEqual(c.counts(), { cancelled: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  assert.deepEqual(c.callerEnd.written, []);
});

test("call() cancelled in the turn it was made never runs", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands);
  const { controller, signal } = countedSignal();
  const failed = rejection(c.call("wait", [], { signal }));
  controller.abort("at once");
  assert.deepEqual(facts(await failed), expected(true, "at once"));
  assert.equal(await c.call("quick"), "quick");
  assert.deepEqual(module.seen, []);
  assert.deepEqual(c.counts(), { cancelled: 1, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() cancelled while it waits in the queue is acknowledged at once and never runs", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands, { away: true });
  const counted = countedSignal();
  const failed = rejection(c.call("wait", [], counted));
  assert.equal(counted.listeners, 1);
  counted.controller.abort();
  assert.equal(facts(await failed).acknowledged, true);
  assert.equal(counted.listeners, 0);
  c.connect();
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  assert.deepEqual(module.seen, []);
  assert.deepEqual(c.counts(), { cancelled: 1 });
});

test("call() cancelled while its handler runs is acknowledged where the handler ends", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands);
  const counted = countedSignal();
  const failed = rejection(c.call("wait", [], counted));
  await c.clock.advance(10);
  counted.controller.abort("enough");
  assert.deepEqual(facts(await failed), expected(true, "enough"));
  assert.deepEqual(module.seen, ["runs 1", "told: Error: the caller cancelled the call"]);
  assert.deepEqual(c.sent.lines(), [CANCELLED_LINE]);
  assert.deepEqual(c.counts(), { cancelled: 1 });
  assert.equal(counted.listeners, 0);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() cancelled while its handler goes on is given up after 100 ms, not acknowledged", async () => {
  const module = waiting(false);
  const c = new Conversation(module.commands);
  const counted = countedSignal();
  let error: unknown;
  void rejection(c.call("wait", [], counted)).then((rejected) => error = rejected);
  await c.clock.advance(10);
  counted.controller.abort("enough");
  await c.clock.advance(99);
  assert.equal(error, undefined);
  await c.clock.advance(1);
  assert.deepEqual(facts(error), expected(false, "enough"));
  assert.deepEqual(c.sent.lines(), [CANCELLED_LINE]);
  await c.answer([1], ["late"]);
  assert.deepEqual(c.counts(), { cancelled: 1, late: 1 });
  assert.equal(counted.listeners, 0);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("signal aborted after the answer changes nothing, and nothing listens to it", async () => {
  const c = new Conversation(waiting(true).commands);
  const counted = countedSignal();
  assert.equal(await c.call("quick", [], counted), "quick");
  assert.equal(counted.listeners, 0);
  counted.controller.abort();
  await settle();
  assert.deepEqual(c.bodies(FrameType.cancel), []);
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("one signal cancels all its calls", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands, { concurrency: 2 });
  const counted = countedSignal();
  const failed = Array.from({ length: 5 }, () => rejection(c.call("wait", [], counted)));
  await settle();
  assert.equal(counted.listeners, 1);
  counted.controller.abort();
  for (const error of await Promise.all(failed)) assert.equal(facts(error).acknowledged, true);
  assert.equal(counted.listeners, 0);
  assert.equal(module.seen.filter((line) => line.startsWith("runs")).length, 2);
  assert.deepEqual(c.counts(), { cancelled: 5 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() cancelled while its second attempt runs reaches the handler of the first", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands);
  const counted = countedSignal();
  const failed = rejection(c.call("wait", [], counted));
  await c.clock.advance(1000);
  counted.controller.abort();
  assert.equal(facts(await failed).acknowledged, true);
  assert.equal(module.seen.length, 2);
  assert.deepEqual(c.counts(), { cancelled: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() being cancelled when its process is killed is cancelled, acknowledged", async () => {
  const c = new Conversation(waiting(false).commands);
  const counted = countedSignal();
  const failed = rejection(c.call("wait", [], counted));
  await settle();
  counted.controller.abort("enough");
  c.crash();
  assert.deepEqual(facts(await failed), expected(true, "enough"));
  assert.deepEqual(c.counts(), { cancelled: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() cancelled before the callee's cleanup is over never runs", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands, { closed: true });
  const counted = countedSignal();
  const failed = rejection(c.call("wait", [], counted));
  await settle();
  counted.controller.abort();
  await c.clock.advance(10);
  c.callee.open();
  assert.equal(facts(await failed).acknowledged, true);
  assert.deepEqual(module.seen, []);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("handlers are told when the caller is gone", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands);
  const failed = rejection(c.call("wait"));
  await settle();
  c.crash();
  assert.equal(Reflect.get(Object(await failed), "code"), "GONE");
  assert.deepEqual(module.seen, ["runs 1", "told: Error: the caller is gone"]);
});

test("handler that ends after its caller is gone leaves no timer", async () => {
  let end = () => {};
  const c = new Conversation({ wait: () => new Promise<void>((resolve) => end = resolve) });
  const failed = rejection(c.call("wait"));
  await settle();
  c.crash();
  assert.equal(Reflect.get(Object(await failed), "code"), "GONE");
  end();
  await settle();
  assert.equal(c.clock.timers, 0);
});

test("call() cancelled when its second attempt is the first that arrives reaches the handler", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands);
  const counted = countedSignal();
  c.sent.onReport = (event) => {
    if (event === "call.retry") counted.controller.abort();
  };
  c.calleeEnd.block();
  const failed = rejection(c.call("wait", [], counted));
  await settle();
  c.calleeEnd.drop();
  c.calleeEnd.unblock();
  await c.clock.advance(1000);
  assert.equal(facts(await failed).acknowledged, true);
  assert.deepEqual(module.seen, ["runs 1", "told: Error: the caller cancelled the call"]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() cancelled when it is sent again reaches its handler, which runs already", async () => {
  const module = waiting(true);
  const c = new Conversation(module.commands);
  const counted = countedSignal();
  c.sent.onReport = (event) => {
    if (event === "call.another-answer") counted.controller.abort();
  };
  const failed = rejection(c.call("wait", [], counted));
  await settle();
  await c.answer([99], ["nobody's"]);
  assert.equal(facts(await failed).acknowledged, true);
  assert.deepEqual(module.seen, ["runs 1", "told: Error: the caller cancelled the call"]);
  assert.deepEqual(c.counts(), { unknown: 1, cancelled: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls of one signal share one listener, which goes with the last of them, and each is cancelled once", async () => {
  const counted = countedSignal();
  const { controller, signal } = counted;
  const c = new Conversation(waiting(true).commands);
  const quick = Array.from({ length: 20 }, () => c.call("quick", [], { signal }));
  const waits = Array.from({ length: 20 }, () => rejection(c.call("wait", [], { signal })));
  assert.equal(counted.listeners, 1);
  await c.clock.advance(0);
  await Promise.all(quick);
  assert.equal(counted.listeners, 1);
  controller.abort("enough");
  await c.clock.advance(0);
  for (const error of await Promise.all(waits)) assert.ok(error instanceof CallCancelledError, String(error));
  assert.equal(counted.listeners, 0);
  assert.deepEqual(c.counts(), { ok: 20, cancelled: 20 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
