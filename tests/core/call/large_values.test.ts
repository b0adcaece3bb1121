import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../manual_clock.ts";
import type { MemoryChannel } from "../memory_channel.ts";
import { MemoryFiles } from "../memory_files.ts";
import { Conversation, type ConversationOptions, NOTHING_LEFT, rejection } from "./conversation.ts";

const SIZE = 300_000;

const filled = (byte: number) => new Uint8Array(SIZE).fill(byte);

function echoing(): Conversation {
  return new Conversation({ echo: (value: unknown) => value, fill: (byte: number) => filled(byte) }, {
    codec: "rich",
  });
}

/** What is written arrives as from a socket. */
function inPieces(): Conversation {
  const conversation = echoing();
  const cut = function* (bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.slice(at, at + 65_536);
  };
  conversation.callerEnd.relay = cut;
  conversation.calleeEnd.relay = cut;
  return conversation;
}

test("large values that follow each other in the same memory arrive as they were, whoever keeps them", async () => {
  const conversation = inPieces();
  const answers: unknown[] = [];
  for (let byte = 0; byte < 20; byte++) answers.push(await conversation.call("echo", [filled(byte)]));
  answers.push(...await Promise.all([20, 21, 22, 23].map((byte) => conversation.call("echo", [filled(byte)]))));
  for (const [byte, answer] of answers.entries()) assertFilled(answer, byte);
  assert.deepEqual(conversation.counts(), { ok: 24 });
});

test("large values that arrive together have memory of their own each", async () => {
  const conversation = inPieces();
  const pair = [filled(1), filled(2)];
  const [first, second] = listOf(await conversation.call("echo", [pair]));
  assertFilled(first, 1);
  assertFilled(second, 2);
});

test("a large answer that waits in its process keeps its bytes when its caller gives up and others are answered", async () => {
  const conversation = echoing();
  conversation.calleeEnd.stick();
  const late = rejection(conversation.call("fill", [1], { retry: "never" }));
  await settle();
  const stuck = new Stuck(conversation.calleeEnd);
  await conversation.clock.advance(1_000);
  const next = conversation.call("fill", [2], { timeoutMs: 5_000 });
  await settle();
  stuck.assertSame();
  conversation.calleeEnd.release();
  assertFilled(await next, 2);
  assert.equal((await late as { code?: string }).code, "TIMEOUT");
  assert.deepEqual(conversation.counts(), { timeout: 1, late: 1, ok: 1 });
  assert.deepEqual(conversation.refused, []);
  assert.deepEqual(await conversation.leftovers(), NOTHING_LEFT);
});

test("a large second attempt that waits keeps its bytes when the first is answered and another call is made", async () => {
  const conversation = delaying();
  const retried = conversation.call("slow", [filled(1)]);
  await settle();
  const asked = conversation.callerEnd.handed.length;
  conversation.callerEnd.stick();
  await conversation.clock.advance(1_000);
  const stuck = new Stuck(conversation.callerEnd, asked);
  await conversation.clock.advance(500);
  assertFilled(await retried, 1);
  const next = conversation.call("slow", [filled(2)], { timeoutMs: 5_000 });
  await settle();
  stuck.assertSame();
  conversation.callerEnd.release();
  await conversation.clock.advance(1_500);
  assertFilled(await next, 2);
  assert.deepEqual(conversation.counts(), { retried: 1, ok: 1, duplicate: 1 });
  assert.deepEqual(conversation.refused, []);
  assert.deepEqual(await conversation.leftovers(), NOTHING_LEFT);
});

test("a large call that was sent again after another answer keeps its bytes while that frame waits", async () => {
  const conversation = delaying();
  const resent = conversation.call("slow", [filled(1)], { timeoutMs: 5_000 });
  await settle();
  const asked = conversation.callerEnd.handed.length;
  conversation.callerEnd.stick();
  await conversation.answer([99], ["whose?"]);
  const stuck = new Stuck(conversation.callerEnd, asked);
  await conversation.clock.advance(1_500);
  assertFilled(await resent, 1);
  const next = conversation.call("slow", [filled(2)], { timeoutMs: 5_000 });
  await settle();
  stuck.assertSame();
  conversation.callerEnd.release();
  await conversation.clock.advance(1_500);
  assertFilled(await next, 2);
  assert.deepEqual(conversation.counts(), { ok: 2, unknown: 1 });
  assert.deepEqual(await conversation.leftovers(), NOTHING_LEFT);
});

/** A conversation whose command `slow` answers after 1.5 s. */
function delaying(options: ConversationOptions = {}): Conversation {
  const conversation = new Conversation({
    echo: (value: unknown) => value,
    slow: async (value: unknown) => {
      await new Promise<void>((resolve) => conversation.clock.timer(1_500, resolve));
      return value;
    },
  }, { codec: "rich", ...options });
  return conversation;
}

/** A conversation whose memory is open, and whose large values all lie there. */
async function inMemory(): Promise<{ conversation: Conversation; files: MemoryFiles }> {
  const files = new MemoryFiles();
  const conversation = delaying({ files });
  await conversation.call("echo", [filled(0)]);
  await settle();
  return { conversation, files };
}

test("large values in shared memory arrive as they were, whoever keeps them", async () => {
  const { conversation, files } = await inMemory();
  const before = files.written;
  const answers: unknown[] = [];
  for (let byte = 0; byte < 20; byte++) answers.push(await conversation.call("echo", [filled(byte)]));
  answers.push(...await Promise.all([20, 21, 22, 23].map((byte) => conversation.call("echo", [filled(byte)]))));
  for (const [byte, answer] of answers.entries()) assertFilled(answer, byte);
  assert.equal(files.written - before, 24 * 2 * SIZE);
  assert.deepEqual(await conversation.leftovers(), NOTHING_LEFT);
});

test("a retried call whose value lies in shared memory is joined, and each of its frames has a value of its own", async () => {
  const { conversation } = await inMemory();
  const retried = conversation.call("slow", [filled(1)]);
  const others = [2, 3, 4].map((byte) => conversation.call("echo", [filled(byte)]));
  await conversation.clock.advance(1_600);
  assertFilled(await retried, 1);
  for (const [index, other] of others.entries()) assertFilled(await other, index + 2);
  assert.deepEqual(conversation.counts(), { ok: 4, retried: 1 });
  assert.deepEqual(await conversation.leftovers(), NOTHING_LEFT);
});

test("an answer that comes late from shared memory is nobody's, and the ones after it are right", async () => {
  const { conversation } = await inMemory();
  const late = rejection(conversation.call("slow", [filled(1)], { retry: "never" }));
  await conversation.clock.advance(1_000);
  assert.equal((await late as { code?: string }).code, "TIMEOUT");
  const next = conversation.call("slow", [filled(2)], { timeoutMs: 5_000 });
  await conversation.clock.advance(1_600);
  assertFilled(await next, 2);
  assert.deepEqual(conversation.counts(), { ok: 2, timeout: 1, late: 1 });
});

test("calls that a stopped process has in shared memory end with it, and the next process has memory of its own", async () => {
  const { conversation, files } = await inMemory();
  conversation.calleeEnd.block();
  const gone = [1, 2, 3].map((byte) => rejection(conversation.call("echo", [filled(byte)])));
  await settle();
  conversation.crash();
  for (const error of await Promise.all(gone)) assert.equal((error as { code?: string }).code, "GONE");
  conversation.startAgain();
  conversation.connect();
  for (const byte of [4, 5]) assertFilled(await conversation.call("echo", [filled(byte)]), byte);
  await settle();
  assertFilled(await conversation.call("echo", [filled(6)]), 6);
  assert.deepEqual([files.contents.length, files.names], [4, []]);
});

/** In memory that is the value's and nobody else's. Not `deepEqual`, which takes minutes to say how so many bytes differ. */
function assertFilled(value: unknown, byte: number): void {
  assert.ok(value instanceof Uint8Array);
  assert.deepEqual([value.byteOffset, value.buffer.byteLength], [0, SIZE]);
  assert.ok(
    value instanceof Uint8Array && value.length === SIZE && value.every((one) => one === byte),
    `not all ${byte}`,
  );
}

/** What one end was handed from its write number `from` on, and can't send: the memory itself, and what was in it. */
class Stuck {
  readonly #handed: readonly Uint8Array[];
  readonly #before: readonly Uint8Array[];

  constructor(end: MemoryChannel, from = 0) {
    this.#handed = end.handed.slice(from);
    this.#before = this.#handed.map((bytes) => bytes.slice());
    assert.ok(this.#before.some((bytes) => bytes.length >= SIZE), "nothing large waits");
  }

  assertSame(): void {
    const changed = this.#handed.filter((bytes, index) => bytes.some((byte, at) => byte !== this.#before[index]?.[at]));
    assert.deepEqual(changed.map((bytes) => bytes.length), [], "bytes that wait have changed");
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
