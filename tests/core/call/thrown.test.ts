import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { RemoteError } from "../../../src/core/faults.ts";
import { START_MS } from "../manual_clock.ts";
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

/** A value of a realm that has classes of its own. */
function foreign(code: string): unknown {
  return runInNewContext(code);
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
  ["an object with a message", { message: "disk is full", code: 5 }, "Error", "disk is full"],
  ["an object with name and message", { name: "IOError", message: "disk is full" }, "IOError", "disk is full"],
  ["an object with a message that is none", { message: 5 }, "Error", "[object Object]"],
  ["an error of another realm", foreign("new TypeError('far')"), "TypeError", "far"],
  ["an error of a class of another realm", foreign("new (class IOError extends Error {})('far')"), "IOError", "far"],
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
      assert.equal(c.clock.now(), START_MS);
      const shown = msg.replaceAll("\n", "\\n");
      assert.equal(c.sent.lines().at(-1), callLine("ERROR", FAILED_TO_SEND + shown));
      assert.equal(c.received.lines()[1], callLine("ERROR", FAILED_TO_EXECUTE + shown));
      assert.deepEqual(c.counts(), { error: 1 });
      assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
    });
  }
}

test("of what was thrown 64 KiB a text, four causes, 1,000 characters of one that is no error and 100 errors cross", async () => {
  const cause = (depth: number): Error => new Error(`cause ${depth}`, depth === 9 ? {} : { cause: cause(depth + 1) });
  const thrown = [
    new Error("x".repeat(64 * 1024 + 1)),
    cause(0),
    new Error("m", { cause: "y".repeat(1_001) }),
    new AggregateError(Array.from({ length: 101 }, () => new Error("z".repeat(8 * 1024 + 1))), "many"),
  ];
  const c = new Conversation({
    fail(number: number) {
      throw thrown[number];
    },
  });
  const errors: RemoteError[] = [];
  for (const number of thrown.keys()) {
    const error = await rejection(c.call("fail", [number]));
    assert.ok(error instanceof RemoteError);
    errors.push(error);
  }
  const [long, deep, odd, many] = errors;
  assert.equal(long?.message, `${"x".repeat(64 * 1024)}…`);
  assert.deepEqual(deep?.remoteStack.match(/Caused by: (?:Error: )?cause \d/g)?.map((text) => text.at(-1)), [
    "1",
    "2",
    "3",
    "4",
  ]);
  assert.equal(odd?.remoteStack.split("\n").at(-1), `Caused by: ${"y".repeat(1_000)}…`);
  assert.equal(many?.errors.length, 100);
  assert.equal(many?.errors[0]?.message, `${"z".repeat(8 * 1024)}…`);
});

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
  return c.caller.call("fail", [], request);
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

for (const [levels, arrives] of [[999, true], [1_000, false], [20_000, false]] as const) {
  test(`RemoteError of an error whose data has ${levels} levels ${arrives ? "has" : "lacks"} it, and all else`, async () => {
    const data = nested(levels);
    const c = new Conversation({ fail: () => Promise.reject(Object.assign(new Error("deep"), { data })) });
    const error = await rejection(c.call("fail"));
    assert.ok(error instanceof RemoteError);
    assert.equal(error.message, "deep");
    assert.equal(JSON.stringify(error.data), arrives ? JSON.stringify(data) : undefined);
    assert.deepEqual(c.counts(), { error: 1 });
  });
}

test("RemoteError has the data of an error within others as long as all of it may be sent", async () => {
  const errors = [997, 998].map((levels) => Object.assign(new Error(`${levels}`), { data: nested(levels) }));
  const c = new Conversation({ fail: () => Promise.reject(new AggregateError(errors, "all")) });
  const error = await rejection(c.call("fail"));
  assert.ok(error instanceof RemoteError);
  assert.deepEqual(error.errors.map(({ data }) => data === undefined), [false, true]);
});

function nested(levels: number): unknown {
  let list: unknown[] = [];
  for (let level = 1; level < levels; level++) list = [list];
  return list;
}

test("RemoteError has the stack of an error of another realm", async () => {
  const c = new Conversation({
    fail() {
      throw foreign("new TypeError('far')");
    },
  });
  const error = await rejection(c.call("fail"));
  assert.ok(error instanceof RemoteError);
  assert.match(error.remoteStack, /^TypeError: far\n/);
});

for (
  const [what, cause, text] of [
    ["a text", "the disk is gone", "the disk is gone"],
    ["a number", 0, "0"],
    ["a plain object", { code: "ENOSPC" }, '{"code":"ENOSPC"}'],
    ["an object that can't be written", { self: cyclic(), big: 1n }, "[object Object]"],
    ["an object with a message", { name: "IOError", message: "disk", cause: "dust" }, "IOError: disk\nCaused by: dust"],
    ["an error of another realm", foreign("Object.assign(new TypeError('far'), { stack: 'S' })"), "S"],
  ] as const
) {
  test(`remoteStack of an error whose cause is ${what} says so`, async () => {
    const error = Object.assign(new Error("outer", { cause }), { stack: "Error: outer" });
    const c = new Conversation({ fail: () => Promise.reject(error) });
    const caught = await rejection(c.call("fail"));
    assert.ok(caught instanceof RemoteError);
    assert.equal(caught.remoteStack, `Error: outer\nCaused by: ${text}`);
  });
}

function withStack<E extends Error>(error: E): E {
  return Object.assign(error, { stack: `${error.name}: ${error.message}\n    at f (/a.ts:1:1)` });
}

test("RemoteError of an AggregateError has its errors, with their names, stacks and data, and prints them", async () => {
  const inner = withStack(Object.assign(new TypeError("first"), { data: { disk: 1 } }));
  const deep = withStack(new AggregateError([withStack(new RangeError("deepest"))], "second"));
  const c = new Conversation({
    fail: () => Promise.reject(withStack(new AggregateError([inner, deep, "third"], "all failed"))),
  });
  const error = await rejection(c.call("fail"));
  assert.ok(error instanceof RemoteError);
  assert.deepEqual([error.remoteName, error.message, error.errors.length], ["AggregateError", "all failed", 3]);
  const [first, second, third] = error.errors;
  assert.ok(first instanceof RemoteError);
  assert.deepEqual(
    [first.remoteName, first.message, first.remoteStack, first.data, first.errors],
    ["TypeError", "first", "TypeError: first\n    at f (/a.ts:1:1)", { disk: 1 }, []],
  );
  assert.deepEqual(second?.errors.map(({ remoteName, message }) => [remoteName, message]), [["RangeError", "deepest"]]);
  assert.deepEqual([third?.remoteName, third?.message], ["Error", "third"]);
  assert.equal(
    error.remoteStack,
    [
      "AggregateError: all failed",
      "    at f (/a.ts:1:1)",
      "Error 1 of 3: TypeError: first",
      "    at f (/a.ts:1:1)",
      "Error 2 of 3: AggregateError: second",
      "    at f (/a.ts:1:1)",
      "Error 1 of 1: RangeError: deepest",
      "    at f (/a.ts:1:1)",
      "Error 3 of 3: Error: third",
    ].join("\n"),
  );
});

test("RemoteError holds at most 100 errors of an AggregateError, and no list of an error that is none", async () => {
  const many = new AggregateError(Array.from({ length: 150 }, () => new AggregateError([new Error("x")])));
  const round: AggregateError = new AggregateError([]);
  round.errors.push(round);
  const thrown = [many, round, Object.assign(new Error("invalid"), { errors: [{ path: "a" }, "b"] })];
  const c = new Conversation({ fail: (index: number) => Promise.reject(thrown[index]) });
  const errors: number[] = [];
  for (const index of thrown.keys()) {
    const error = await rejection(c.call("fail", [index]));
    assert.ok(error instanceof RemoteError);
    errors.push(count(error));
  }
  assert.deepEqual(errors, [100, 100, 0]);
});

function count({ errors }: RemoteError): number {
  return errors.reduce((sum, error) => sum + 1 + count(error), 0);
}

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
