import assert from "node:assert/strict";
import { test } from "node:test";
import { canDispose, dispose, isDisposed } from "../../../src/core/module/dispose.ts";

/** In their order of preference. */
const WAYS = [Symbol.asyncDispose, Symbol.dispose, "close", "destroy", "end", "clear"];

test("dispose() takes the first way a resource has, with the resource as this", async () => {
  for (let from = 0; from < WAYS.length; from++) {
    const seen: unknown[] = [];
    const resource: Record<string | symbol, unknown> = {};
    // The other way round, so that the order of declaration can't be what counts.
    for (const way of WAYS.slice(from).toReversed()) {
      resource[way] = function (this: unknown, ...args: unknown[]) {
        seen.push(way, this === resource, args.length);
      };
    }
    await dispose(resource);
    assert.deepEqual(seen, [WAYS[from], true, 0], String(WAYS[from]));
  }
});

test("dispose() calls a function, and prefers a way that the function has", async () => {
  const seen: string[] = [];
  await dispose(() => void seen.push("function"));
  await dispose(Object.assign(() => void seen.push("not this"), { close: () => void seen.push("close") }));
  assert.deepEqual(seen, ["function", "close"]);
});

test("dispose() waits for a promise and rejects with what the resource throws or rejects with", async () => {
  let isOver = false;
  await dispose({
    async close() {
      await Promise.resolve();
      isOver = true;
    },
  });
  assert.equal(isOver, true);
  const error = new Error("no");
  const thrower = () => {
    throw error;
  };
  await assert.rejects(dispose({ end: thrower }), error);
  await assert.rejects(dispose({ end: () => Promise.reject(error) }), error);
  await assert.rejects(dispose(thrower), error);
});

test("dispose() skips what is no function, and takes ways of the prototype", async () => {
  const seen: string[] = [];
  class Pool {
    close = "closed";
    destroy() {
      seen.push("destroy");
    }
  }
  await dispose(new Pool());
  await dispose(new Map([[1, 1]]));
  assert.deepEqual(seen, ["destroy"]);
});

test("canDispose() tells what has a way", () => {
  for (const resource of [new Map(), new Set(), () => {}, { end() {} }, { [Symbol.dispose]() {} }]) {
    assert.equal(canDispose(resource), true);
  }
  for (const resource of [null, undefined, 1, "text", {}, [], { close: true }, { stop() {} }, Symbol("s")]) {
    assert.equal(canDispose(resource), false);
  }
});

test("isDisposed() believes a resource that ends for good: disposed, destroyed or closed is true", () => {
  for (const state of ["disposed", "destroyed", "closed"]) {
    for (const way of WAYS.filter((way) => way !== "clear")) {
      assert.equal(isDisposed({ [state]: true, [way]() {} }), true, `${state} ${String(way)}`);
    }
    assert.equal(isDisposed({ [state]: true, clear() {} }), false, state);
    assert.equal(isDisposed(Object.assign(() => {}, { [state]: true })), false, state);
    for (const other of [false, Promise.resolve(), "yes", 1]) {
      assert.equal(isDisposed({ [state]: other, end() {} }), false);
    }
  }
  const throwing = {
    get disposed(): boolean {
      throw new Error("not now");
    },
    close() {},
  };
  assert.equal(isDisposed(throwing), false);
  assert.equal(isDisposed(null), false);
});

test("a DisposableStack is taken, and one that was disposed is left alone", {
  skip: "DisposableStack" in globalThis ? false : "this runtime has no DisposableStack",
}, async () => {
  const seen: string[] = [];
  const stack = new DisposableStack();
  stack.defer(() => void seen.push("deferred"));
  assert.deepEqual([canDispose(stack), isDisposed(stack)], [true, false]);
  await dispose(stack);
  assert.deepEqual([seen, isDisposed(stack)], [["deferred"], true]);
});
