import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { checkedRequest } from "../../../src/core/call/call.ts";
import type { CallOptions } from "../../../src/core/module/definition.ts";

const CALL = { target: "sla", command: "get", params: [] };
const DEFAULTS = { timeoutMs: 1_000, retry: "once" } as const;

/** As a program without types gives them. */
function requestOf(settings: unknown, params: unknown = []): unknown {
  return Reflect.apply(checkedRequest, undefined, [{ ...CALL, params }, settings, DEFAULTS]);
}

test("the options of a call go over the defaults", () => {
  const { signal } = new AbortController();
  const every: Required<CallOptions> = {
    timeoutMs: 5,
    totalTimeoutMs: 6,
    retry: "never",
    onProgress: () => {},
    signal,
    thread: "Thread-1",
  };
  assert.deepEqual(requestOf(every), { ...every, target: "sla", wire: undefined });
  const { timeoutMs, retry } = checkedRequest(CALL, {}, DEFAULTS);
  assert.deepEqual({ timeoutMs, retry }, DEFAULTS);
  assert.equal(checkedRequest(CALL, { retry: "never" }, DEFAULTS).retry, "never");
  assert.equal(checkedRequest(CALL, {}, DEFAULTS).retry, "once");
  const unset = Object.fromEntries(Object.keys(every).map((key) => [key, undefined]));
  assert.deepEqual(requestOf(unset), requestOf({}));
});

for (
  const [settings, why] of [
    [{ timeout: 5_000 }, 'unknown key "timeout": did you mean "timeoutMs"'],
    [{ onprogress: 3 }, 'unknown key "onprogress": did you mean "onProgress"'],
    [
      { priority: 1 },
      'unknown key "priority": known are timeoutMs, totalTimeoutMs, retry, onProgress, signal, thread',
    ],
    [{ retry: "twice" }, 'retry must be "once" or "never", and it is "twice"'],
    [{ retry: true }, 'retry must be "once" or "never", and it is true'],
    [{ onProgress: 5 }, "onProgress must be a function, and it is 5"],
    [{ signal: new EventTarget() }, "signal must be an AbortSignal, and it is an object"],
    [{ signal: null }, "signal must be an AbortSignal, and it is null"],
    [{ signal: new AbortController() }, "signal must be an AbortSignal, and it is an object"],
    [{ thread: 1 }, "thread must be a text, and it is 1"],
    [{ timeoutMs: "5" }, "timeoutMs must be a number of milliseconds above 0, and it is 5"],
    [{ timeoutMs: null }, "timeoutMs must be a number of milliseconds above 0, and it is null"],
    [{ totalTimeoutMs: 0 }, "totalTimeoutMs must be a number of milliseconds above 0, and it is 0"],
    [{ totalTimeoutMs: -1 }, "totalTimeoutMs must be a number of milliseconds above 0, and it is -1"],
    [{ totalTimeoutMs: NaN }, "totalTimeoutMs must be a number of milliseconds above 0, and it is NaN"],
    [5_000, "its options must be an object, and it is 5000"],
    [null, "its options must be an object, and it is null"],
    [[], "its options must be an object, and it is a list"],
    [new Map([["timeoutMs", 5]]), "a plain object is needed, and it is a Map"],
  ] as const
) {
  test(`a call whose options are wrong is refused: ${why}`, () => {
    assert.throws(() => requestOf(settings), new TypeError(`Cannot call command "get": ${why}`));
  });
}

test("a call whose parameters are no list is refused", () => {
  assert.throws(
    () => requestOf({}, "2021-10"),
    new TypeError('Cannot call command "get": params must be a list, and it is "2021-10"'),
  );
});

for (
  const [command, shown] of [[5, "5"], [null, "null"], [Symbol("get"), "Symbol(get)"], [["get"], "a list"]] as const
) {
  test(`a call whose command is ${shown} is refused, so that nothing of it reaches a line or a frame`, () => {
    assert.throws(
      () => Reflect.apply(checkedRequest, undefined, [{ ...CALL, command }, {}, DEFAULTS]),
      new TypeError(`Cannot call module "sla": a command is a text, and it is ${shown}`),
    );
  });
}

test("a signal of another realm, or of a library, is one", () => {
  const foreign: unknown = runInNewContext(
    "({ aborted: false, addEventListener() {}, removeEventListener() {} })",
  );
  assert.doesNotThrow(() => requestOf({ signal: foreign }));
});
