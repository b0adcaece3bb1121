import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Codec, utf8Bytes } from "../../../src/core/wire/codec.ts";
import { packAnswers, packCalls, readAnswers, readCalls } from "../../../src/core/wire/columns.ts";
import { NotSerializableError } from "../../../src/core/wire/serializable.ts";
import { bytesOf, carry, deepList, encodeValue, Point } from "./carry.ts";

const roundTrip = (value: unknown) => carry(value, "json");

for (
  const [what, value, expected] of [
    ["null", null, null],
    ["-0, which JSON has no word for", -0, 0],
    ["NaN", NaN, null],
    ["Infinity", [Infinity, -Infinity], [null, null]],
    ["the largest safe integer", Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ["an integer above it, as the number it is", 2 ** 64, 2 ** 64],
    ["the smallest number", [5e-324, 1e308], [5e-324, 1e308]],
    ["undefined in a list", [undefined, 1], [null, 1]],
    ["undefined in an object", { a: undefined, b: 1 }, { b: 1 }],
    ["a list with holes", [, 1], [null, 1]], // deno-lint-ignore no-sparse-arrays
    ["a Date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
    ["an invalid Date", new Date(NaN), null],
    ["a URL", [new URL("http://x/y")], ["http://x/y"]],
    ["an instance of a class", new Point(), { x: 1 }],
    ["boxed values", [Object(1), Object("a"), Object(true)], [1, "a", true]],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ["keys that are symbols", { [Symbol("s")]: 1, a: 1 }, { a: 1 }],
    ["lone surrogates", ["\ud800", "a\udc00b", { "\udfff": 1 }], ["\ud800", "a\udc00b", { "\udfff": 1 }]],
    ["control characters", "\0\x1f\u2028\ufeff", "\0\x1f\u2028\ufeff"],
    ["characters of all lengths", "aé中🙂", "aé中🙂"],
    ["1,000 levels", deepList(1000), deepList(1000)],
    ["what toJSON returns", { toJSON: () => ({ a: [1] }) }, { a: [1] }],
    ["what toJSON returns, once", { toJSON: () => ({ toJSON: 5, b: 1 }) }, { toJSON: 5, b: 1 }],
  ] as const
) {
  test(`encodeValue() carries ${what}`, () => assert.deepEqual(roundTrip(value), expected));
}

const round: Record<string, unknown> = { a: { b: [] } };
round["a"] = { b: [round] };
const family: Record<string, unknown> = { name: "root" };
family["children"] = Array.from({ length: 20 }, (_, index) => ({ name: index, parent: family, siblings: [family] }));
const thrower = {
  get bad() {
    throw new Error("first line\nsecond");
  },
};
const revocable = Proxy.revocable({}, {});
revocable.revoke();

for (
  const [what, value, why] of [
    ["undefined", undefined, "v has no JSON form"],
    ["a function", { when: [() => {}] }, "v.when[0] is a function"],
    ["a class", [Point], "v[0] is a function"],
    ["a symbol", { s: Symbol("s") }, "v.s is a symbol"],
    ["a BigInt", [[1n]], "v[0][0] is a bigint"],
    ["a Map", new Map(), "v is a Map"],
    ["a Set", { s: new Set() }, "v.s is a Set"],
    ["a Promise", [Promise.resolve()], "v[0] is a Promise"],
    ["a RegExp", /x/, "v is a RegExp"],
    ["an Error", new TypeError("x"), "v is an Error"],
    ["an ArrayBuffer", new ArrayBuffer(1), "v is an ArrayBuffer"],
    ["a SharedArrayBuffer", new SharedArrayBuffer(1), "v is a SharedArrayBuffer"],
    ["a Float64Array", [new Float64Array(1)], "v[0] is a typed array other than Uint8Array"],
    ["a DataView", new DataView(new ArrayBuffer(1)), "v is a typed array other than Uint8Array"],
    ["a Uint8ClampedArray", new Uint8ClampedArray(1), "v is a typed array other than Uint8Array"],
    ["a Map that toJSON returns", [{ toJSON: () => [new Map()] }], "v[0][0] is a Map"],
    ["a toJSON that returns undefined", { toJSON: () => undefined }, "v has no JSON form"],
    ["1,001 levels", deepList(1001), `v${"[0]".repeat(66)}[0… is nested deeper than 1000`],
    ["a cycle", round, "v.a.b[0] is cyclic"],
    ["a tree whose children know their parent", family, "v.children[0].parent is cyclic"],
    ["a getter that throws", thrower, "first line"],
    ["a revoked proxy", revocable.proxy, null],
    ["a function deeper than 200 levels", [[deepList(300)], { f: () => {} }], "v[1].f is a function"],
  ] as const
) {
  test(`encodeValue() refuses ${what}, with its path`, () => {
    assert.throws(() => encodeValue(value, "v"), (error) => {
      assert.ok(error instanceof NotSerializableError);
      if (why !== null) assert.equal(error.message, why);
      return true;
    });
  });
}

test("encodeValue() carries a value that is there twice, which is no cycle", () => {
  const shared = { a: [1] };
  assert.deepEqual(roundTrip([shared, { shared }, shared.a]), [{ a: [1] }, { shared: { a: [1] } }, [1]]);
});

test("encodeValue() carries 10^6 keys", () => {
  const value = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [`key ${index}`, index]));
  const packed = packAnswers([{ id: 1, attempt: 1, kind: 0, value: encodeValue(value, "v") }]);
  const result = readAnswers(packed.flags, bytesOf(packed)).values[0];
  assert.equal(Object.keys(Object(result)).length, 1_000_000);
  assert.equal(Reflect.get(Object(result), "key 999999"), 999_999);
});

test("keys named __proto__ are carried as keys and pollute nothing", () => {
  const value: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"__proto__": [2]}}');
  const result = roundTrip(value);
  assert.deepEqual(JSON.stringify(result), JSON.stringify(value));
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.equal(Reflect.get({}, "polluted"), undefined);
});

test("Uint8Arrays at several depths arrive as plain Uint8Arrays that share no memory with the chunk", () => {
  const value = {
    top: Uint8Array.of(1, 2),
    list: [[Uint8Array.of()], { deep: [Uint8Array.of(3), null, "x"] }],
    ["__proto__ like"]: new Uint8Array([9, 8, 7, 6]).subarray(1, 3),
  };
  Object.defineProperty(value, "__proto__", { value: Uint8Array.of(5), enumerable: true });
  const packed = packAnswers([{ id: 1, attempt: 1, kind: 0, value: encodeValue(value, "v") }]);
  const chunk = Buffer.from(bytesOf(packed));
  const result = readAnswers(packed.flags, chunk).values[0];
  chunk.fill(0);
  assert.ok(typeof result === "object" && result !== null);
  assert.deepEqual(Object.keys(result), ["top", "list", "__proto__ like", "__proto__"]);
  assert.deepEqual(Reflect.get(result, "top"), Uint8Array.of(1, 2));
  assert.deepEqual(Reflect.get(result, "list"), [[Uint8Array.of()], { deep: [Uint8Array.of(3), null, "x"] }]);
  assert.deepEqual(Reflect.get(result, "__proto__ like"), Uint8Array.of(8, 7));
  assert.deepEqual(Object.getOwnPropertyDescriptor(result, "__proto__")?.value, Uint8Array.of(5));
  assert.equal(Reflect.get(result, "top").constructor, Uint8Array);
  assert.deepEqual(value.top, Uint8Array.of(1, 2));
});

test("a Buffer and what toJSON returns are carried as bytes too", () => {
  const result = roundTrip([Buffer.from("ab"), { toJSON: () => ({ b: Uint8Array.of(1) }) }]);
  assert.deepEqual(result, [Uint8Array.of(97, 98), { b: Uint8Array.of(1) }]);
});

test("a result that is a Uint8Array itself, of 0 and of 1 MiB", () => {
  for (const length of [0, 1024 * 1024]) {
    assert.deepEqual(roundTrip(new Uint8Array(length).fill(7)), new Uint8Array(length).fill(7));
  }
});

test("attachments of several calls of one batch go to their own calls", () => {
  const entry = (id: number, params: unknown[]) => ({
    id,
    attempt: 1,
    command: `c${id}`,
    params: encodeValue(params, "params"),
    options: null,
  });
  const batch = [
    entry(1, [Uint8Array.of(1)]),
    entry(2, ["none"]),
    entry(3, [[0, Uint8Array.of(3, 3)], Uint8Array.of()]),
  ];
  const packed = packCalls(batch, 1);
  const { calls } = readCalls(packed.flags, bytesOf(packed));
  assert.deepEqual(calls.map(({ id, command, params }) => [id, command, params]), [
    [1, "c1", [Uint8Array.of(1)]],
    [2, "c2", ["none"]],
    [3, "c3", [[0, Uint8Array.of(3, 3)], Uint8Array.of()]],
  ]);
});

test("encodeValue() tells the bytes of the text", () => {
  for (
    const text of ["", "aé中🙂", "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff", "\ud800x", "x\udc00", "\ud83d\ud83d\ude42"]
  ) {
    assert.equal(utf8Bytes(text), new TextEncoder().encode(text).length, JSON.stringify(text));
    assert.equal(new Codec("json").encode(text, "v", 10).bytes, new TextEncoder().encode(JSON.stringify(text)).length);
  }
});
