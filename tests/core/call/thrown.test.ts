import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteError } from "../../../src/core/errors/mod.ts";
import { makeCall } from "../../../src/core/call/make_call.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

const FAILED_TO_SEND = "Failed to send command call [fail] for module Livestatus because of error: ";
const FAILED_TO_EXECUTE = "Failed to execute received command [fail] with error: ";

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function hostile(): Error {
  const error = new Error("hidden");
  for (const key of ["stack", "name", "message", "cause", "data"]) {
    Object.defineProperty(error, key, {
      get() {
        throw new TypeError(`no ${key}`);
      },
    });
  }
  return error;
}

function cyclic(): Error {
  const error = new Error("round");
  error.cause = error;
  return error;
}

const THROWN: readonly (readonly [what: string, thrown: unknown, name: string, message: string, msg?: string])[] = [
  ["undefined", undefined, "Error", "undefined"],
  ["null", null, "Error", "null"],
  ["0", 0, "Error", "0"],
  ["an empty text", "", "Error", "", "Error"],
  ["a text", "just text", "Error", "just text"],
  ["a symbol", Symbol("s"), "Error", "Symbol(s)"],
  ["an object", { a: 1 }, "Error", "[object Object]"],
  ["an object without a text", Object.create(null), "Error", "[object Object]"],
  ["a function", () => {}, "Error", String(() => {})],
  ["a revoked proxy", revoked(), "Error", "[object]"],
  ["a frozen object", Object.freeze({ toString: () => "frozen" }), "Error", "frozen"],
  ["a frozen error", Object.freeze(new RangeError("frozen")), "RangeError", "frozen"],
  ["an error without a message", new TypeError(), "TypeError", "", "TypeError"],
  ["an error whose class sets no name", new (class IOError extends Error {})("disk"), "IOError", "disk"],
  ["an error without name and message", new (class IOError extends Error {})(), "IOError", "", "IOError"],
  ["an error whose class has no name", new (class extends RangeError {})("far"), "RangeError", "far"],
  ["an error with a cyclic cause", cyclic(), "Error", "round"],
  [
    "an error whose getters throw",
    hostile(),
    '(reading "name" threw TypeError: no name)',
    '(reading "message" threw TypeError: no message)',
  ],
  ["an error with a name that is none", Object.assign(new Error("m"), { name: 5 }), "5", "m"],
];

for (const [what, thrown, name, message, msg = message] of THROWN) {
  for (const way of ["throws", "rejects with"]) {
    test(`handler that ${way} ${what} rejects the call at once with RemoteError`, async () => {
      const c = new Conversation({
        fail() {
          if (way === "throws") throw thrown;
          return Promise.reject(thrown);
        },
      });
      const error = await rejection(c.call("fail"));
      assert.ok(error instanceof RemoteError, String(error));
      assert.deepEqual(
        { name: error.name, code: error.code, message: error.message, remoteName: error.remoteName },
        { name: "RemoteError", code: "REMOTE", message, remoteName: name },
      );
      assert.equal(c.clock.now(), 0);
      const shown = msg.replaceAll("\n", "\\n");
      assert.equal(c.sent.lines().at(-1), callLine("ERROR", FAILED_TO_SEND + shown));
      assert.equal(c.received.lines()[1], callLine("ERROR", FAILED_TO_EXECUTE + shown));
      assert.deepEqual(c.counts(), { error: 1 });
      assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
    });
  }
}

function failInHere(): never {
  throw new RangeError("out of reports");
}

async function callerInHere(c: Conversation): Promise<unknown> {
  return await c.call("fail");
}

test("RemoteError has the caller's stack, the handler's as remoteStack, and both sides log the handler's", async () => {
  const c = new Conversation({ fail: () => failInHere() });
  const error = await rejection(callerInHere(c));
  assert.ok(error instanceof RemoteError);
  assert.match(error.remoteStack, /RangeError: out of reports[\s\S]*failInHere/);
  assert.match(error.stack ?? "", /^RemoteError: out of reports[\s\S]*callerInHere/);
  assert.doesNotMatch(error.stack ?? "", /failInHere/);
  const sent = c.sent.lines();
  const received = c.received.lines();
  assert.equal(sent[0], callLine("ERROR", "Traceback (most recent call last):"));
  assert.match(sent.at(-3) ?? "", /File ".*thrown\.test\.[jt]s", line \d+, in failInHere$/);
  assert.equal(sent.at(-2), callLine("ERROR", "RangeError: out of reports"));
  assert.equal(sent.at(-1), callLine("ERROR", `${FAILED_TO_SEND}out of reports`));
  assert.equal(received[1], callLine("ERROR", `${FAILED_TO_EXECUTE}out of reports`));
  assert.deepEqual(received.slice(2), sent.slice(0, -1));
});

/** JavaScriptCore follows what an async function awaits, and no promise that is handed on. */
const TRACES_PROMISES = !("Bun" in globalThis);

function handOn(c: Conversation): Promise<unknown> {
  const request = { target: "Livestatus", timeoutMs: 1000, retry: "once" } as const;
  return makeCall(c.caller, "fail", [], request);
}

async function awaiterInHere(c: Conversation): Promise<unknown> {
  return await handOn(c);
}

test("a rejection's stack leads to who awaits the call, through a function that hands on its promise", async () => {
  const c = new Conversation({ fail: () => failInHere() }, { tracesPromises: TRACES_PROMISES });
  const error = await rejection(awaiterInHere(c));
  assert.ok(error instanceof RemoteError);
  assert.match(error.stack ?? "", /^RemoteError: out of reports[\s\S]*awaiterInHere/);
  assert.deepEqual(c.counts(), { error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a rejection that nobody awaits yet is no unhandled one once it is awaited", async () => {
  const c = new Conversation({ fail: () => failInHere() }, { tracesPromises: true });
  const call = handOn(c);
  const all = await Promise.allSettled([call, handOn(c)]);
  assert.deepEqual(all.map(({ status }) => status), ["rejected", "rejected"]);
});

test("RemoteError carries the causes in remoteStack and the error's data", async () => {
  const c = new Conversation({
    fail() {
      const cause = new SyntaxError("the first cause");
      throw Object.assign(new Error("outer", { cause }), { data: { host: "srv-1", codes: [1, 2] } });
    },
  });
  const error = await rejection(c.call("fail"));
  assert.ok(error instanceof RemoteError);
  assert.deepEqual(error.data, { host: "srv-1", codes: [1, 2] });
  assert.match(error.remoteStack, /Caused by: SyntaxError: the first cause/);
});

test("RemoteError of a message of 1 MB is cut and the process lives", async () => {
  const c = new Conversation({
    fail() {
      throw new Error("x".repeat(1_000_000));
    },
    ok: () => 1,
  });
  const error = await rejection(c.call("fail"));
  assert.ok(error instanceof RemoteError);
  assert.equal(error.message.length, 64 * 1024 + 1);
  assert.equal(await c.call("ok"), 1);
});

test("a RemoteError that a handler lets through brings the stack of the process where it began", async () => {
  const inner = new RemoteError({
    message: "disk is full",
    remoteName: "IOError",
    remoteStack: "IOError: disk is full\n    at write",
  });
  const c = new Conversation({ get: () => Promise.reject(inner) });
  await assert.rejects(c.call("get"), (error: unknown) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.message, "disk is full");
    assert.match(error.remoteStack, /\nCaused by: IOError: disk is full\n {4}at write$/);
    return true;
  });
});
