import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactWriter } from "../../../src/core/wire/compact_writer.ts";
import { Shapes, testerOf } from "../../../src/core/wire/shapes.ts";
import { CompactStream } from "./compact_stream.ts";

/** Values at each border of how code in place and the writer itself write them. */
const BORDERS = [
  ...[0, -0, 1, 0x3f, 0x40, 0xff, 0x100, 0xffff, 0x10000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53],
  ...[-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1],
  ...[0.5, -1.5, NaN, Infinity, -Infinity, 5e-324],
  ...["", "a", "a".repeat(31), "a".repeat(32), "a".repeat(40), "a".repeat(5_000)],
  ...["\x7f", "\x80", "é", "ÿ".repeat(31), "€", "\ud83d\ude00", "\ud83d", "a".repeat(30) + "\u0100"],
  ...[["a"], ["a", "b"], ["a", 1], [1, "a"], ["a", ["b"]], ["a", undefined], ["é"], ["a", "é"], ["a".repeat(31)]],
  ...[["a", "a".repeat(32)], Array(15).fill("a".repeat(31)), Array(16).fill("a"), ["\x7f"], ["\x80"], [""], [[]]],
  ...[null, true, false, undefined, 2n ** 64n, new Date(0), Uint8Array.of(1, 2), [], [[1], "x"], { other: [1] }],
];

/** The bytes of `value`, whose shape is known before. */
function written(value: Record<string, unknown>): Uint8Array {
  const writer = new CompactWriter(new Shapes());
  for (let turn = 0; turn < 3; turn++) {
    writer.begin();
    writer.value(value);
  }
  return writer.buffer.slice(writer.start, writer.end);
}

/** Runs `fn` in a program that forbids code from text. */
function withoutCode<T>(fn: () => T): T {
  const { Function: compile } = globalThis;
  Object.assign(globalThis, {
    Function() {
      throw new EvalError("Code generation from strings disallowed for this context");
    },
  });
  try {
    return fn();
  } finally {
    globalThis.Function = compile;
  }
}

for (const [index, value] of BORDERS.entries()) {
  test(`value ${index} of an object is written alike in place, by the loop and by itself`, () => {
    const object = { before: 1, value, after: "z" };
    const bytes = written(object);
    assert.deepEqual(withoutCode(() => written(object)), bytes);
    const list = new CompactWriter(new Shapes());
    list.begin();
    list.value([1, value, "z"]);
    if (typeof value !== "object" || value instanceof Date) {
      assert.deepEqual(bytes.subarray(1), list.buffer.slice(list.start + 1, list.end));
    }
  });

  test(`value ${index} of an object arrives, with and without code from text`, () => {
    for (const carried of [carry({ before: 1, value, after: "z" }), withoutCode(() => carry({ value, after: [] }))]) {
      for (const got of carried) {
        assert.ok(Object.is(got, value) || typeof value === "object" || typeof value === "bigint");
      }
      assert.deepEqual(carried, [value, value, value]);
    }
  });
}

class Row {
  id = 1;
  name = "a";
}

/** What an object is, and whether it is written as one of the keys `id` and `name`. */
const LIKENESSES: readonly (readonly [what: string, object: object, isOne: boolean])[] = [
  ["a plain object", { id: 1, name: "a" }, true],
  ["one with values of other types", { id: null, name: [] }, true],
  ["one in another order", { name: "a", id: 1 }, false],
  ["one with a key more", { id: 1, name: "a", more: 1 }, false],
  ["one with a key less", { id: 1 }, false],
  ["one without keys", {}, false],
  ["one with a hidden key more", Object.defineProperty({ id: 1, name: "a" }, "hidden", { value: 1 }), true],
  ["one that has a form of its own", { id: 1, name: "a", toJSON: () => 1 }, false],
  [
    "one that hides a form of its own",
    Object.defineProperty({ id: 1, name: "a" }, "toJSON", { value: () => 1 }),
    false,
  ],
  ["one without a prototype", Object.assign(Object.create(null), { id: 1, name: "a" }), false],
  ["one of a class", new Row(), false],
  ["a Map with the keys", Object.assign(new Map(), { id: 1, name: "a" }), false],
  ["a list with the keys", Object.assign([], { id: 1, name: "a" }), false],
];

for (const [what, object, isOne] of LIKENESSES) {
  test(`${what} is ${isOne ? "" : "not "}told to be of a shape, with and without code from text`, () => {
    assert.equal(testerOf(["id", "name"])(object), isOne);
    assert.equal(withoutCode(() => testerOf(["id", "name"]))(object), isOne);
  });
}

test("an object is told by its own keys where a program has given all objects one more", () => {
  Object.defineProperty(Object.prototype, "polluted", { value: 1, enumerable: true, configurable: true });
  try {
    const stream = new CompactStream();
    for (let turn = 0; turn < 3; turn++) assert.deepEqual(stream.carry({ id: turn }), { id: turn });
  } finally {
    Reflect.deleteProperty(Object.prototype, "polluted");
  }
});

function carry(object: Record<string, unknown>): unknown[] {
  const stream = new CompactStream();
  return [1, 2, 3].map(() => {
    const got = stream.carry(object);
    assert.ok(typeof got === "object" && got !== null && "value" in got);
    return got.value;
  });
}

test("an object larger than the room that is left moves, wherever in it that is", () => {
  for (const length of [31, 32, 1_000, 65_000, 70_000]) {
    const object = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key${index}`, "x".repeat(length)]));
    const stream = new CompactStream();
    for (let turn = 0; turn < 8; turn++) assert.deepEqual(stream.carry({ turn, object }), { turn, object });
  }
});

test("a list of texts moves with its object where there is no room for it, wherever that is", () => {
  for (const length of [0, 1, 7, 31]) {
    const tags = Array(15).fill("x".repeat(length));
    const object = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key${index}`, tags]));
    const stream = new CompactStream();
    for (let turn = 0; turn < 32; turn++) assert.deepEqual(stream.carry({ turn, object }), { turn, object });
  }
});

test("a list that is more than its texts is written as what it is, in an object of a known shape", () => {
  class Tags extends Array<string> {}
  const lists: readonly (readonly [list: unknown[], arrives: unknown])[] = [
    [Object.assign(["a"], { toJSON: () => ["form"] }), ["form"]],
    [Object.defineProperty(["a"], "toJSON", { value: () => "form" }), "form"],
    [Tags.from(["a", "b"]), ["a", "b"]],
    [Object.assign(["a"], { more: 1 }), ["a"]],
    // deno-lint-ignore no-sparse-arrays
    [["a", , "b"], ["a", undefined, "b"]],
  ];
  for (const [tags, arrives] of lists) assert.deepEqual(carry({ value: tags }), [arrives, arrives, arrives]);
});

test("what a getter takes away while its object is written arrives as undefined", () => {
  const stream = new CompactStream();
  const make = () => {
    const object: Record<string, unknown> = { first: 1, second: 2 };
    Object.defineProperty(object, "first", {
      enumerable: true,
      configurable: true,
      get() {
        delete object.second;
        return 1;
      },
    });
    return object;
  };
  assert.deepEqual(stream.carry({ first: 1, second: 2 }), { first: 1, second: 2 });
  assert.deepEqual(stream.carry({ first: 1, second: 2 }), { first: 1, second: 2 });
  assert.deepEqual(stream.carry(make()), { first: 1, second: undefined });
});
