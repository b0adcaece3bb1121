import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameFlag, FrameType } from "../../../src/core/wire/frame.ts";
import { Conversation, KILLED, NOTHING_LEFT, rejection } from "./conversation.ts";

const commands = { echo: (value: unknown) => value, length: (values: readonly unknown[]) => values.length };

/** Type and flags of the frames that the caller wrote. */
function frames(c: Conversation): string[] {
  return c.callerEnd.written.flatMap((bytes) => {
    const found: string[] = [];
    for (let at = 0; at < bytes.length;) {
      found.push(`${bytes[at + 2]}/${bytes[at + 3]}`);
      at += 8 + new DataView(bytes.buffer, bytes.byteOffset + at + 4, 4).getUint32(0);
    }
    return found;
  });
}

const CALLS = `${FrameType.calls}/${FrameFlag.compact}`;
const SHAPES = `${FrameType.calls}/${FrameFlag.compact | FrameFlag.shapes}`;

test("calls in the compact codec carry what JSON can't, and tell the shapes of their objects once", async () => {
  const c = new Conversation(commands, { codec: "compact" });
  const value = { at: new Date(5), big: 5n, none: undefined };
  for (let turn = 0; turn < 4; turn++) assert.deepEqual(await c.call("echo", [value]), value);
  assert.deepEqual(frames(c), [CALLS, SHAPES, CALLS, CALLS, CALLS]);
  assert.deepEqual(c.counts(), { ok: 4 });
  assert.deepEqual(c.refused, []);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("second attempt and answer given again are the bytes of the first", async () => {
  const c = new Conversation(commands, { codec: "compact" });
  for (let turn = 0; turn < 3; turn++) await c.call("echo", [{ a: turn }]);
  c.callerEnd.block();
  const result = c.call("echo", [{ a: 2 }]);
  await c.clock.advance(500);
  c.callerEnd.drop();
  c.callerEnd.unblock();
  await c.clock.advance(500);
  assert.deepEqual(await result, { a: 2 });
  assert.deepEqual(c.counts(), { ok: 3, retried: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls that wait while a process is away reach the next, which is told their shapes", async () => {
  const c = new Conversation(commands, { codec: "compact" });
  for (let turn = 0; turn < 3; turn++) await c.call("echo", [{ a: turn }]);
  c.crash();
  const waiting = [1, 2, 3].map((a) => c.call("echo", [{ a }]));
  c.startAgain();
  c.connect();
  assert.deepEqual(await Promise.all(waiting), [{ a: 1 }, { a: 2 }, { a: 3 }]);
  assert.deepEqual(frames(c), [SHAPES, CALLS]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a call that was withdrawn takes no shape with it", async () => {
  const c = new Conversation(commands, { codec: "compact" });
  await c.call("echo", [{ a: 1 }]);
  const controller = new AbortController();
  const cancelled = rejection(c.call("echo", [{ a: 2 }], { signal: controller.signal }));
  const next = c.call("echo", [{ a: 3 }]);
  controller.abort();
  await cancelled;
  assert.deepEqual(await next, { a: 3 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls that wait are encoded anew for a process of another codec, or rejected with the reason", async () => {
  const c = new Conversation(commands, { codec: "compact" });
  for (let turn = 0; turn < 3; turn++) await c.call("echo", [{ a: turn }]);
  c.crash();
  const waiting = [c.call("echo", [{ a: [1, null] }]), c.call("echo", [{ a: "é" }])];
  const refused = rejection(c.call("echo", [5n]));
  c.codec = "json";
  c.startAgain();
  c.connect();
  assert.deepEqual(await Promise.all(waiting), [{ a: [1, null] }, { a: "é" }]);
  assert.match(String(await refused), /params are not serializable: params\[0\] is a bigint/);
  c.crash();
  const back = c.call("echo", [{ a: 7, bytes: Uint8Array.of(1) }]);
  c.codec = "compact";
  c.startAgain();
  c.connect();
  assert.deepEqual(await back, { a: 7, bytes: Uint8Array.of(1) });
  c.caller.disconnect(KILLED);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("large values share frames with small ones", async () => {
  const c = new Conversation(commands, { codec: "compact" });
  const values = Array.from({ length: 60 }, (_, index) => index % 7 === 0 ? "é".repeat(200_000) : { index });
  assert.deepEqual(await Promise.all(values.map((value) => c.call("echo", [value]))), values);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
