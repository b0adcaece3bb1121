import assert from "node:assert/strict";
import { test } from "node:test";
import { NotSerializableError } from "../../../src/core/wire/serializable.ts";
import { carry } from "./carry.ts";

test("values that call the codec while they are encoded are encoded whole", () => {
  let inner: unknown;
  const value = ["before", {
    toJSON: () => {
      inner = carry({ a: [1, 2] });
      return "now";
    },
  }, "after"];
  assert.deepEqual(carry(value), ["before", "now", "after"]);
  assert.deepEqual(inner, { a: [1, 2] });
});

test("a list that is changed by what it holds, and a getter that takes keys away, break nothing", () => {
  const list: unknown[] = [{ toJSON: () => (list.length = 1, 5) }, 1, 2];
  assert.deepEqual(carry(list), [5, undefined, undefined]);
  const shrinking = () => ({
    get a() {
      Reflect.deleteProperty(this, "b");
      return 1;
    },
    b: 2,
  });
  for (let turn = 0; turn < 3; turn++) carry({ a: 1, b: 2 });
  try {
    carry(shrinking());
  } catch (error) {
    assert.ok(error instanceof NotSerializableError || error instanceof Error);
  }
  assert.deepEqual(carry([{ a: 1, b: 2 }]), [{ a: 1, b: 2 }]);
});
