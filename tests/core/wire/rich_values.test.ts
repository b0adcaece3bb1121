import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Codec } from "../../../src/core/wire/codec.ts";
import { packAnswers, readAnswers } from "../../../src/core/wire/columns.ts";
import { NotSerializableError } from "../../../src/core/wire/serializable.ts";
import { bytesOf, carry, deepList, Point } from "./carry.ts";

class Days extends Array<number> {
  toJSON(): Date[] {
    return [new Date(7)];
  }
}

/** As a library defines it that hides its methods from loops. */
function withHiddenForm(toJSON: () => unknown): object {
  return Object.defineProperty({ a: 1 }, "toJSON", { value: toJSON, enumerable: false });
}

/** Where lists of numbers, and large texts and bytes, leave the JSON. */
const LENGTHS = [0, 1, 15, 16, 17, 65_535, 65_536];

const big = 123456789012345678901234567890n;

for (
  const [what, value, expected] of [
    ["undefined", [undefined, { a: undefined }], [undefined, { a: undefined }]],
    ["numbers at every edge", edges(), edges()],
    ["-0, NaN and infinities", [-0, NaN, Infinity, -Infinity], [-0, NaN, Infinity, -Infinity]],
    ["BigInts", [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, big, -big], [
      0n,
      -1n,
      2n ** 63n - 1n,
      2n ** 63n,
      -(2n ** 63n),
      2n ** 64n - 1n,
      big,
      -big,
    ]],
    ["BigInts of 100,000 digits", [10n ** 99_999n, -(10n ** 99_999n)], undefined],
    ["a Date that toJSON returns", { toJSON: () => new Date(7) }, new Date(7)],
    ["what a list's own class gives as its JSON", new Days(1, 2), [new Date(7)]],
    ["Dates", [new Date(0), new Date(-1), new Date(1e15 + 7)], [new Date(0), new Date(-1), new Date(1e15 + 7)]],
    ["an invalid Date", new Date(NaN), null],
    ["a list with holes", [, 1], [undefined, 1]], // deno-lint-ignore no-sparse-arrays
    ["a URL", [new URL("http://x/y")], ["http://x/y"]],
    ["an instance of a class", [new Point(), new Point(), new Point()], [{ x: 1 }, { x: 1 }, { x: 1 }]],
    ["boxed values", [Object(1), Object("a"), Object(true)], [1, "a", true]],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ["keys that are symbols", { [Symbol("s")]: 1, a: 1 }, { a: 1 }],
    ["lone surrogates", ["\ud800", "a\udc00b", { "\udfff": 1 }], ["\ud800", "a\udc00b", { "\udfff": 1 }]],
    ["a byte order mark", "\ufeffx", "\ufeffx"],
    ["texts of every length", texts(), texts()],
    ["1,000 levels", deepList(1000), deepList(1000)],
    ["what toJSON returns", { toJSON: () => ({ a: [1] }) }, { a: [1] }],
    ["what toJSON returns, once", { toJSON: () => ({ toJSON: 5, b: 1 }) }, { toJSON: 5, b: 1 }],
    ["what a hidden toJSON returns", [withHiddenForm(() => [1n, new Date(7), Uint8Array.of(1)]), null], [
      [1n, new Date(7), Uint8Array.of(1)],
      null,
    ]],
    ["bytes", [Buffer.from("ab"), new Uint8Array(300), new Uint8Array(70_000)], [
      Uint8Array.of(97, 98),
      new Uint8Array(300),
      new Uint8Array(70_000),
    ]],
    ["lists of every kind of head", lists(), lists()],
    ["objects of every kind of head", objects(), objects()],
    ["bytes of every kind of head", bytes(), bytes()],
    ["many keys", Object.fromEntries(texts().map((text, index) => [`${index}${text}`, index])), undefined],
  ] as const
) {
  test(`the rich codec carries ${what}`, () => {
    assert.deepEqual(carry(value), expected === undefined ? value : expected);
  });
}

function edges(): number[] {
  const found = [0.1, 1e308, 5e-324, 2 ** 64];
  for (let bit = 0; bit <= 53; bit++) found.push(2 ** bit - 1, 2 ** bit, -(2 ** bit) || 0, -(2 ** bit) - 1);
  return found;
}

function texts(): string[] {
  const lengths = [0, 1, 31, 32, 39, 40, 84, 85, 95, 96, 97, 255, 256, 1023, 1024, 21_845, 21_846, 65_536, 100_000];
  return lengths.flatMap((length) => ["x".repeat(length), "é".repeat(length), "中🙂".repeat(length / 4)]);
}

function lists(): number[][] {
  return LENGTHS.map((length) => Array<number>(length).fill(7));
}

function objects(): Record<string, number>[] {
  return [...LENGTHS, 63, 64, 65].map((length) => {
    return Object.fromEntries(Array.from({ length }, (_, index) => [`k${index}`, index]));
  });
}

function bytes(): Uint8Array[] {
  return LENGTHS.map((length) => new Uint8Array(length).fill(7));
}

const round: Record<string, unknown> = { a: { b: [] } };
round["a"] = { b: [round] };
const family: Record<string, unknown> = { name: "root" };
family["children"] = Array.from({ length: 20 }, (_, index) => ({ name: index, parent: family, siblings: [family] }));

for (
  const [what, value, why] of [
    ["a function", { when: [() => {}] }, "v.when[0] is a function"],
    ["a symbol", { s: Symbol("s") }, "v.s is a symbol"],
    ["a Map", new Map(), "v is a Map"],
    ["a Set", { s: new Set() }, "v.s is a Set"],
    ["a Promise", [Promise.resolve()], "v[0] is a Promise"],
    ["an Error", new TypeError("x"), "v is an Error"],
    ["an ArrayBuffer", new ArrayBuffer(1), "v is an ArrayBuffer"],
    ["a Float64Array", [new Float64Array(1)], "v[0] is a typed array other than Uint8Array"],
    ["a bigint of 100,001 digits", [10n ** 100_000n], "v[0] is a bigint of more than 100000 digits"],
    ["a Map that is what toJSON returns", [{ toJSON: () => new Map() }], "v[0] is a Map"],
    ["a Map that toJSON returns", [{ toJSON: () => [new Map()] }], "v[0][0] is a Map"],
    ["a Map that a hidden toJSON returns", [withHiddenForm(() => ({ a: new Map() }))], "v[0].a is a Map"],
    [
      "1,001 levels that a hidden toJSON returns",
      withHiddenForm(() => deepList(1001)),
      `v${"[0]".repeat(66)}[0… is nested deeper than 1000`,
    ],
    ["a Map that a Proxy's toJSON returns", [new Proxy({}, { get: () => () => new Map() })], "v[0] is a Map"],
    ["1,001 levels", deepList(1001), `v${"[0]".repeat(66)}[0… is nested deeper than 1000`],
    ["a cycle", round, "v.a.b[0] is cyclic"],
    ["a tree whose children know their parent", family, "v.children[0].parent is cyclic"],
    ["a getter that throws", {
      get bad() {
        throw new Error("first line\nsecond");
      },
    }, "first line"],
  ] as const
) {
  test(`the rich codec refuses ${what}, with its path, and goes on`, () => {
    const codec = new Codec("rich");
    assert.throws(() => codec.encode(value, "v"), new NotSerializableError(why));
    assert.deepEqual(carry([1], codec), [1]);
  });
}

test("keys named __proto__ are carried as keys and pollute nothing", () => {
  const value: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"__proto__": [2]}, "constructor": 1}');
  const result = carry(value);
  assert.equal(JSON.stringify(result), JSON.stringify(value));
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.equal(Reflect.get({}, "polluted"), undefined);
});

test("bytes share no memory with the chunk or with the program", () => {
  const codec = new Codec("rich");
  const mine = Uint8Array.of(1, 2, 3);
  const encoded = codec.encode([mine], "v");
  mine.fill(9);
  const packed = packAnswers([{ id: 1, attempt: 1, kind: 0, value: encoded }]);
  const chunk = Buffer.from(bytesOf(packed));
  const { values } = readAnswers(packed.flags, chunk);
  chunk.fill(0);
  assert.deepEqual(values[0], [Uint8Array.of(1, 2, 3)]);
});
