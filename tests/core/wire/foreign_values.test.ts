import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { NotSerializableError } from "../../../src/core/wire/serializable.ts";
import { carry } from "./carry.ts";

/** A value of a realm that has classes of its own. */
function foreign(code: string): unknown {
  return runInNewContext(`(${code})`);
}

for (const codec of ["rich", "json", "text"] as const) {
  for (
    const [code, why] of [
      ["{ a: [new Map([[1, 2]])] }", "v.a[0] is a Map"],
      ["{ a: new Set([1]) }", "v.a is a Set"],
      ["[new TypeError('x')]", "v[0] is an Error"],
      ["[Promise.resolve(1)]", "v[0] is a Promise"],
      ["[/x/]", "v[0] is a RegExp"],
      ["new ArrayBuffer(1)", "v is an ArrayBuffer"],
      ["new Float64Array(1)", "v is a typed array other than Uint8Array"],
      ["new (class Cache extends Map {})()", "v is a Map"],
    ] as const
  ) {
    test(`the ${codec} codec refuses ${code} of another realm, with its path`, () => {
      assert.throws(() => carry(foreign(code), codec), new NotSerializableError(why));
    });
  }

  test(`the ${codec} codec carries plain values of another realm as its own`, () => {
    const code = "{ list: [1, 'two', null, true], point: new (class { x = 1 })(), boxed: [Object('t'), Object(2)] }";
    assert.deepEqual(carry(foreign(code), codec), {
      list: [1, "two", null, true],
      point: { x: 1 },
      boxed: ["t", 2],
    });
  });

  test(`the ${codec} codec asks no list and no object for a form that all of them inherit`, () => {
    const value = { list: [1, ["x"]], rows: [{ a: 1 }, { a: 2 }, { a: 3 }], own: { toJSON: () => ["form"] } };
    const expected = { list: [1, ["x"]], rows: [{ a: 1 }, { a: 2 }, { a: 3 }], own: ["form"] };
    for (const prototype of [Array.prototype, Object.prototype]) {
      // As old Prototype.js does it.
      Object.defineProperty(prototype, "toJSON", {
        value: () => "[]",
        enumerable: true,
        configurable: true,
        writable: true,
      });
      let arrived: unknown;
      try {
        arrived = carry(value, codec);
      } finally {
        Reflect.deleteProperty(prototype, "toJSON");
      }
      assert.deepEqual(arrived, expected);
    }
  });
}

const raw: unknown = Reflect.get(JSON, "rawJSON");
const skip = typeof raw === "function" ? false : "this engine has no JSON.rawJSON";

for (const [codec, ...odd] of [["rich", -0, Infinity], ["json", 0, null], ["text", 0, null]] as const) {
  test(`the ${codec} codec carries what JSON.rawJSON says as it carries the same value`, { skip }, () => {
    const [minusZero, huge, text] = ["-0", "1e999", '"text"'].map((json) => typeof raw === "function" && raw(json));
    const value = [minusZero, huge, { text }, { toJSON: () => minusZero }];
    assert.deepEqual(carry(value, codec), [...odd, { text: "text" }, odd[0]]);
  });
}

test("dates, bytes and large numbers of another realm arrive as those of this one", () => {
  const value = foreign("{ when: new Date(5), bytes: Uint8Array.of(1, 2), big: Object(1n) }");
  assert.deepEqual(carry(value), { when: new Date(5), bytes: Uint8Array.of(1, 2), big: 1n });
  assert.deepEqual(carry(foreign("{ when: new Date(5), bytes: Uint8Array.of(1, 2) }"), "json"), {
    when: "1970-01-01T00:00:00.005Z",
    bytes: Uint8Array.of(1, 2),
  });
});

for (const bytes of [Uint8Array.of(1), Buffer.from("hello"), foreign("Uint8Array.of(1)")]) {
  test(`the text codec refuses ${Object(bytes).constructor.name} ${String(bytes)}, and says what to write`, () => {
    assert.throws(
      () => carry({ a: [bytes] }, "text"),
      new NotSerializableError(
        'v.a[0] is a Uint8Array, which JSON has no form for: write Buffer.from(x).toString("base64")',
      ),
    );
  });
}

test("the json codec reads each part of a value once", () => {
  const reads: string[] = [];
  const value = {
    get a() {
      reads.push("a");
      return { toJSON: () => reads.push("toJSON") };
    },
    bytes: Uint8Array.of(1),
  };
  assert.deepEqual(carry(value, "json"), { a: 2, bytes: Uint8Array.of(1) });
  assert.deepEqual(reads, ["a", "toJSON"]);
});
