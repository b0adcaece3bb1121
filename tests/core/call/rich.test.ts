import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, KILLED, NOTHING_LEFT, rejection } from "./conversation.ts";

const commands = { echo: (value: unknown) => value, length: (values: readonly unknown[]) => values.length };

test("calls in the rich codec carry what JSON can't", async () => {
  const c = new Conversation(commands, { codec: "rich" });
  const value = { at: new Date(5), big: 5n, none: undefined, numbers: [NaN, -0], bytes: Uint8Array.of(1) };
  for (let turn = 0; turn < 4; turn++) assert.deepEqual(await c.call("echo", [value]), value);
  assert.deepEqual(c.counts(), { ok: 4 });
  assert.deepEqual(c.refused, []);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a value is what it was when it was given, whatever the program makes of it before it leaves", async () => {
  const c = new Conversation({ ...commands, kept: () => kept }, { codec: "rich" });
  const value = { list: [1], at: new Date(1) };
  const bytes = Uint8Array.of(1);
  const first = c.call("echo", [[value, bytes]]);
  value.list.push(2);
  value.at.setTime(2);
  bytes[0] = 2;
  const second = c.call("echo", [[value, bytes]]);
  const kept = [1];
  const answer = c.call("kept");
  assert.deepEqual(await first, [{ list: [1], at: new Date(1) }, Uint8Array.of(1)]);
  assert.deepEqual(await second, [{ list: [1, 2], at: new Date(2) }, Uint8Array.of(2)]);
  assert.deepEqual(await answer, [1]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("second attempt and answer given again are the bytes of the first", async () => {
  const c = new Conversation(commands, { codec: "rich" });
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

test("calls that wait while a process is away reach the next", async () => {
  const c = new Conversation(commands, { codec: "rich" });
  for (let turn = 0; turn < 3; turn++) await c.call("echo", [{ a: turn }]);
  c.crash();
  const waiting = [1, 2, 3].map((a) => c.call("echo", [{ a }]));
  c.startAgain();
  c.connect();
  assert.deepEqual(await Promise.all(waiting), [{ a: 1 }, { a: 2 }, { a: 3 }]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls that wait are encoded anew for a process of another codec, or rejected with the reason", async () => {
  const c = new Conversation(commands, { codec: "rich" });
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
  c.codec = "rich";
  c.startAgain();
  c.connect();
  assert.deepEqual(await back, { a: 7, bytes: Uint8Array.of(1) });
  c.caller.disconnect(KILLED);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("large values share frames with small ones", async () => {
  const c = new Conversation(commands, { codec: "rich" });
  const values = Array.from({ length: 60 }, (_, index) => index % 7 === 0 ? "é".repeat(200_000) : { index });
  assert.deepEqual(await Promise.all(values.map((value) => c.call("echo", [value]))), values);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
