import assert from "node:assert/strict";
import { test } from "node:test";
import { PayloadError } from "../../../src/core/faults.ts";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { START_MS } from "../manual_clock.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

const LIMIT = 100_000 - 4096;

function facts(error: unknown) {
  assert.ok(error instanceof PayloadError, String(error));
  const { name, code, bytes, limit, message } = error;
  return { name, code, bytes, limit, message };
}

function expected(reason: string, bytes: number | null) {
  const message = `Cannot call command "get" of module "Livestatus": ${reason}`;
  return { name: "PayloadError", code: "PAYLOAD", bytes, limit: LIMIT, message };
}

function sendLine(reason: string): string {
  return callLine("ERROR", `Failed to send command call [get] for module Livestatus because of error: ${reason}`);
}

test("result over the limit is a PayloadError with both sizes, exactly the limit passes, the process lives", async () => {
  const c = new Conversation({ get: (length: number) => "x".repeat(length - 2) }, { frameLimit: 100_000 });
  assert.equal(String(await c.call("get", [LIMIT])).length, LIMIT - 2);
  c.sent.clear();
  c.received.clear();
  const reason = `payload of ${LIMIT + 1} bytes is over the limit of ${LIMIT}`;
  assert.deepEqual(facts(await rejection(c.call("get", [LIMIT + 1]))), expected(reason, LIMIT + 1));
  assert.deepEqual(c.sent.lines(), [sendLine(reason)]);
  assert.equal(
    c.received.lines()[1],
    callLine("ERROR", `Failed to execute received command [get] with error: ${reason}`),
  );
  assert.equal(await c.call("get", [2]), "");
  assert.deepEqual(c.closed, []);
  assert.deepEqual(c.counts(), { ok: 2, error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("params over the limit are refused before anything is sent, exactly the limit passes", async () => {
  const c = new Conversation({ get: (text: string) => text.length }, { frameLimit: 100_000 });
  assert.equal(await c.call("get", ["x".repeat(LIMIT - 4)]), LIMIT - 4);
  const writes = c.callerEnd.written.length;
  c.sent.clear();
  const reason = `payload of ${LIMIT + 1} bytes is over the limit of ${LIMIT}`;
  assert.deepEqual(facts(await rejection(c.call("get", ["x".repeat(LIMIT - 3)]))), expected(reason, LIMIT + 1));
  assert.equal(c.callerEnd.written.length, writes);
  assert.deepEqual(c.sent.lines(), [sendLine(reason)]);
  assert.deepEqual(c.counts(), { ok: 1, error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("params of many small attachments count with their places, so that no frame is too large", async () => {
  const c = new Conversation({ get: (list: unknown[]) => list.length }, { frameLimit: 100_000 });
  const many = (count: number) => [Array.from({ length: count }, () => new Uint8Array(0))];
  assert.equal(await c.call("get", many(2000)), 2000);
  const error = await rejection(c.call("get", many(8000)));
  assert.ok(error instanceof PayloadError, String(error));
  assert.deepEqual([c.closed, c.refused], [[], []]);
});

test("command's name of 20 MB is refused before anything is sent", async () => {
  const c = new Conversation({});
  const error = await rejection(c.call("x".repeat(20_000_000)));
  assert.ok(error instanceof PayloadError);
  assert.deepEqual([error.bytes, error.limit], [20_000_000, 512]);
  assert.deepEqual(c.callerEnd.written, []);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("command's name of 512 control characters still fits beside the largest parameters", async () => {
  const command = "\x01".repeat(512);
  const c = new Conversation({ [command]: (text: string) => text.length }, { frameLimit: 100_000 });
  assert.equal(await c.call(command, ["x".repeat(LIMIT - 4)]), LIMIT - 4);
  assert.deepEqual(c.refused, []);
});

const self: Record<string, unknown> = {};
self["children"] = [{ parent: self }, { parent: self }, { parent: self }];

for (
  const [what, value, why] of [
    ["a function", () => {}, "result is a function"],
    ["a symbol", Symbol("s"), "result is a symbol"],
    ["a BigInt", 1n, "result is a bigint"],
    ["cyclic", self, "result.children[0].parent is cyclic"],
    ["a Map", { deep: [new Map()] }, "result.deep[0] is a Map"],
    ["an object whose getter throws", {
      get x() {
        throw new Error("no x");
      },
    }, "no x"],
  ] as const
) {
  test(`result that is ${what} is an error answer at once`, async () => {
    const c = new Conversation({ get: () => value });
    const reason = `result is not serializable: ${why}`;
    const error = await rejection(c.call("get"));
    assert.ok(error instanceof PayloadError, String(error));
    assert.deepEqual({ bytes: error.bytes, reason: error.reason }, { bytes: null, reason });
    assert.equal(c.clock.now(), START_MS);
    assert.deepEqual(c.sent.lines(), [sendLine(reason)]);
    assert.deepEqual(c.counts(), { error: 1 });
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });

  test(`params that are ${what} are refused before anything is sent`, async () => {
    const c = new Conversation({ get: () => 1 });
    const error = await rejection(c.call("get", [value]));
    assert.ok(error instanceof PayloadError, String(error));
    assert.match(error.reason, /^params are not serializable: /);
    assert.deepEqual(c.callerEnd.written, []);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("bytes travel as they were at the call, whatever the program does with its buffer afterwards", async () => {
  const c = new Conversation({ get: (bytes: Uint8Array) => bytes }, { away: true });
  const buffer = Uint8Array.of(1, 2, 3);
  const result = c.call("get", [buffer]);
  buffer.fill(9);
  c.connect();
  assert.deepEqual(await result, Uint8Array.of(1, 2, 3));
});

test("answer that is given again has the bytes that the handler returned", async () => {
  const buffer = Uint8Array.of(1);
  let runs = 0;
  const c = new Conversation({
    get(this: CallContext) {
      runs++;
      return buffer;
    },
  });
  c.callerEnd.block();
  const result = c.call("get");
  await c.clock.advance(500);
  buffer.fill(9);
  c.calleeEnd.written.splice(0);
  c.callerEnd.drop();
  c.callerEnd.unblock();
  await c.clock.advance(500);
  assert.deepEqual(await result, Uint8Array.of(1));
  assert.equal(runs, 1);
  assert.deepEqual(c.counts(), { retried: 1 });
});

test("{ __proto__ } in parameters pollutes nothing", async () => {
  const c = new Conversation({ get: (value: object) => [Object.keys(value), Reflect.get({}, "polluted")] });
  const params = [JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}}')];
  assert.deepEqual(await c.call("get", params), [["__proto__", "constructor"], null]);
});
