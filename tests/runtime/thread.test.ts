import assert from "node:assert/strict";
import { test } from "node:test";
import { currentThread, withThread } from "../../src/runtime/posix/program.ts";

test("currentThread() is undefined outside withThread()", () => {
  assert.equal(currentThread(), undefined);
});

test("withThread() names what it calls and what that waits for", async () => {
  const names = await withThread("outer", async () => {
    const inner = withThread("inner", async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return currentThread();
    });
    return [currentThread(), await inner, currentThread()];
  });
  assert.deepEqual(names, ["outer", "inner", "outer"]);
  assert.equal(currentThread(), undefined);
});

test("withThread() hands on what the function returns and throws", () => {
  assert.equal(withThread("name", () => 7), 7);
  assert.throws(() =>
    withThread("name", () => {
      throw new RangeError("as it is");
    }), new RangeError("as it is"));
});

test("withThread() takes no name that a line could not show", () => {
  assert.throws(
    () => Reflect.apply(withThread, undefined, [5, () => {}]),
    new TypeError("Cannot name a thread: its name is a text, and it is 5"),
  );
});
