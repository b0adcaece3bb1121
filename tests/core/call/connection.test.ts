import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessGoneError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { callLine, Conversation, KILLED, NOTHING_LEFT, rejection } from "./conversation.ts";

const never = { wait: () => new Promise(() => {}), echo: (value: unknown) => value };

function facts(error: unknown) {
  assert.ok(error instanceof ProcessGoneError, String(error));
  const { name, code, exitCode, signal, lastLines, message } = error;
  return { name, code, exitCode, signal, lastLines, message };
}

const EXPECTED = {
  name: "ProcessGoneError",
  code: "GONE",
  exitCode: null,
  signal: "SIGKILL",
  lastLines: ["last words"],
  message:
    'Cannot call command "wait" of module "Livestatus": process was killed by SIGKILL; its last lines: last words',
};
const GONE_LINE = callLine(
  "ERROR",
  "Failed to send command call [wait] for module Livestatus because of error: process was killed by SIGKILL",
);

test("calls that were sent are rejected with the process, those that were not go on with the next one", async () => {
  const c = new Conversation(never, { concurrency: 1 });
  const sent = rejection(c.call("wait"));
  const queued = c.call("echo", [2], { timeoutMs: 5000 });
  await c.clock.advance(100);
  c.crash();
  assert.deepEqual(facts(await sent), EXPECTED);
  assert.deepEqual(c.sent.lines(), [GONE_LINE]);
  await c.clock.advance(500);
  c.startAgain();
  c.connect();
  assert.equal(await queued, 2);
  assert.deepEqual(c.counts(), { error: 1, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("disconnect() leaves no timer where no call waits", async () => {
  const c = new Conversation(never);
  const sent = rejection(c.call("wait"));
  await settle();
  c.crash();
  await sent;
  assert.equal(c.clock.timers, 0);
  assert.equal(c.caller.pending, 0);
});

test("call() made while the link is closed and the process not yet ended waits for the next process", async () => {
  const c = new Conversation(never);
  c.callerLink.close(null);
  const result = c.call("echo", [1]);
  await settle();
  c.crash();
  c.startAgain();
  c.connect();
  assert.equal(await result, 1);
  assert.deepEqual(c.counts(), { ok: 1 });
});

test("refuse() rejects what was sent, what waits and what comes, until connect()", async () => {
  const c = new Conversation(never, { concurrency: 1 });
  const failed = [rejection(c.call("wait")), rejection(c.call("wait"))];
  await settle();
  c.caller.refuse(KILLED);
  failed.push(rejection(c.call("wait")));
  for (const error of await Promise.all(failed)) assert.deepEqual(facts(error), EXPECTED);
  assert.deepEqual(c.sent.lines(), [GONE_LINE, GONE_LINE, GONE_LINE]);
  assert.equal(c.clock.timers, 0);
  c.startAgain();
  c.connect();
  assert.equal(await c.call("echo", [1]), 1);
  assert.deepEqual(c.counts(), { error: 3, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("pause() lets what was sent go on and keeps what comes for the next process", async () => {
  let finish = (_: string) => {};
  const c = new Conversation({ wait: () => new Promise<string>((resolve) => finish = resolve), echo: never.echo });
  const running = c.call("wait");
  await settle();
  c.caller.pause();
  const next = c.call("echo", [1]);
  await settle();
  assert.equal(c.bodies(FrameType.calls).length, 1);
  finish("done");
  assert.equal(await running, "done");
  c.crash();
  c.startAgain();
  c.connect();
  assert.equal(await next, 1);
  assert.deepEqual(c.counts(), { ok: 2 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("log function that cancels other calls when one is rejected harms nothing", async () => {
  const c = new Conversation(never);
  const controllers = Array.from({ length: 3 }, () => new AbortController());
  c.sent.onReport = () => {
    for (const controller of controllers) controller.abort();
  };
  const failed = controllers.map(({ signal }) => rejection(c.call("wait", [], { signal })));
  await settle();
  c.caller.refuse(KILLED);
  const codes = (await Promise.all(failed)).map((error) => String(Reflect.get(Object(error), "code")));
  assert.equal(codes.length, 3);
  assert.equal(codes[0], "GONE");
  const { error, cancelled } = c.counters.counts();
  assert.equal(error + cancelled, 3);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("log function that cancels a queued call when another is refused settles it once", async () => {
  const c = new Conversation(never, { away: true });
  const controller = new AbortController();
  c.sent.onReport = () => controller.abort();
  const failed = [rejection(c.call("wait")), rejection(c.call("wait", [], { signal: controller.signal }))];
  c.caller.refuse(KILLED);
  assert.deepEqual((await Promise.all(failed)).map((error) => Reflect.get(Object(error), "code")), [
    "GONE",
    "CANCELLED",
  ]);
  assert.deepEqual(c.counts(), { error: 1, cancelled: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() made before the cleanup is over runs when the callee opens", async () => {
  const c = new Conversation(never, { closed: true });
  const results = [c.call("echo", [1]), c.call("echo", [2])];
  await c.clock.advance(900);
  assert.deepEqual(c.counts(), {});
  c.callee.open();
  assert.deepEqual(await Promise.all(results), [1, 2]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a command that ends at once is answered though idle() was asked for while it ran, and the link closed after it", async () => {
  const c: Conversation = new Conversation({
    stop() {
      void c.callee.idle().then(() => c.calleeLink.close(null));
      return "stopped";
    },
  });
  assert.equal(await c.call("stop"), "stopped");
  assert.deepEqual(c.counts(), { ok: 1 });
});

test("idle() settles when the last call has its answer, and at once where none runs", async () => {
  let finish = (_: string) => {};
  const c = new Conversation({ wait: () => new Promise<string>((resolve) => finish = resolve) });
  await c.callee.idle();
  const running = c.call("wait");
  await settle();
  let isIdle = false;
  void c.callee.idle().then(() => isIdle = true);
  await settle();
  assert.equal(isIdle, false);
  finish("done");
  await settle();
  assert.equal(isIdle, true);
  assert.equal(await running, "done");
});
