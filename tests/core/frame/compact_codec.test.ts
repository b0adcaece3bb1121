import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";
import { type CallEntry, type Packed } from "../../../src/core/frame/batch.ts";
import { BodyError } from "../../../src/core/frame/body_error.ts";
import { BodyReader } from "../../../src/core/frame/body_reader.ts";
import { CompactCodec } from "../../../src/core/frame/compact_codec.ts";
import { CompactReader } from "../../../src/core/frame/compact_reader.ts";
import { FrameFlag } from "../../../src/core/frame/header.ts";
import { NotSerializableError } from "../../../src/core/frame/scan.ts";
import { joinBytes } from "../../../src/core/bytes.ts";
import { Random } from "../random.ts";

/** Both ends of one direction of a stream. */
class Stream {
  readonly codec = new CompactCodec();
  readonly reader = new BodyReader();

  /** A result as the other side gets it. */
  carry(value: unknown): unknown {
    const answers = [{ id: 1, attempt: 1, kind: 0, value: this.codec.encode(value, "v") }];
    const before = this.codec.before();
    if (before !== undefined) this.reader.answers(before.flags, joinBytes(before.parts));
    const { flags, parts } = this.codec.answers(answers);
    return this.reader.answers(flags, joinBytes(parts))[0]?.value;
  }
}

/** The MessagePack of one value. */
function bytesOf(value: unknown, codec = new CompactCodec()): Uint8Array {
  const { buffer, start, bytes } = codec.encode(value, "v");
  return buffer.slice(start, start + bytes);
}

function read(bytes: Uint8Array): unknown {
  const reader = new CompactReader();
  reader.open(bytes);
  const value = reader.next();
  reader.close();
  return value;
}

const body = ({ parts }: Packed) => joinBytes(parts).slice();

class Point {
  x = 1;
  #hidden = 2;
  get sum(): number {
    return this.x + this.#hidden;
  }
}

const deepList = (depth: number): unknown => {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
};

const big = 123456789012345678901234567890n;

for (
  const [what, value, expected] of [
    ["undefined", [undefined, { a: undefined }], [undefined, { a: undefined }]],
    ["numbers at every edge", edges(), edges()],
    ["-0, NaN and infinities", [-0, NaN, Infinity, -Infinity], [-0, NaN, Infinity, -Infinity]],
    ["BigInts", [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, big, -big], [
      0n,
      -1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 64n - 1n,
      big,
      -big,
    ]],
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
    ["bytes", [Buffer.from("ab"), new Uint8Array(300), new Uint8Array(70_000)], [
      Uint8Array.of(97, 98),
      new Uint8Array(300),
      new Uint8Array(70_000),
    ]],
    ["many keys", Object.fromEntries(texts().map((text, index) => [`${index}${text}`, index])), undefined],
  ] as const
) {
  test(`CompactCodec carries ${what}`, () => {
    const stream = new Stream();
    for (let turn = 0; turn < 3; turn++) {
      assert.deepEqual(stream.carry(value), expected === undefined ? value : expected);
    }
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
    ["a Map that toJSON returns", [{ toJSON: () => [new Map()] }], "v[0][0] is a Map"],
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
  test(`CompactCodec refuses ${what}, with its path, and goes on`, () => {
    const stream = new Stream();
    assert.throws(() => stream.codec.encode(value, "v"), new NotSerializableError(why));
    assert.deepEqual(stream.carry([1]), [1]);
  });
}

test("keys of repeated objects travel once a stream, and again on the next", () => {
  const codec = new CompactCodec();
  const value = { alpha: 1, beta: [2] };
  const lengths = [1, 2, 3].map(() => bytesOf(value, codec).length);
  assert.deepEqual(lengths, [15, 4, 4]);
  assert.deepEqual(bytesOf(value, codec), Uint8Array.of(0x40, 1, 0x91, 2));
  const first = codec.before();
  assert.ok(first !== undefined);
  assert.equal(first.flags, FrameFlag.compact | FrameFlag.shapes);
  assert.deepEqual(read(body(first)), [0, [["alpha", "beta"]]]);
  assert.equal(codec.before(), undefined);
  codec.restart();
  assert.ok(codec.before() !== undefined);
});

test("objects of more shapes than there are numbers arrive as they are", () => {
  const stream = new Stream();
  for (let turn = 0; turn < 3; turn++) {
    for (let index = 0; index < 200; index++) {
      const value = { [`key${index}`]: index, common: turn };
      assert.deepEqual(stream.carry([value, value]), [value, value]);
    }
  }
});

test("objects that begin alike and go on differently are told apart", () => {
  const stream = new Stream();
  const values = [{ type: 1 }, { type: 1, a: 2 }, { type: 1, b: 2 }, { type: 1, a: 2, b: 3 }, { a: 2, type: 1 }, {}];
  for (let turn = 0; turn < 5; turn++) {
    for (const value of values) assert.deepEqual(JSON.stringify(stream.carry(value)), JSON.stringify(value));
  }
});

test("keys named __proto__ are carried as keys and pollute nothing", () => {
  const stream = new Stream();
  const value: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"__proto__": [2]}, "constructor": 1}');
  for (let turn = 0; turn < 3; turn++) {
    const result = stream.carry(value);
    assert.equal(JSON.stringify(result), JSON.stringify(value));
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
  }
  assert.equal(Reflect.get({}, "polluted"), undefined);
});

test("a shape whose keys are words of the language or quotes is a shape like others", () => {
  const stream = new Stream();
  const value = { "constructor": 1, "});process.exit(1)//": 2, '"': 3, "\u2028": 4, "\ud800": 5, "0": 6, "toJSON": 7 };
  for (let turn = 0; turn < 3; turn++) assert.deepEqual(stream.carry(value), value);
});

test("values that call the codec while they are encoded are encoded whole", () => {
  const stream = new Stream();
  let inner: unknown;
  const value = ["before", {
    toJSON: () => {
      inner = stream.carry({ a: [1, 2] });
      return "now";
    },
  }, "after"];
  assert.deepEqual(stream.carry(value), ["before", "now", "after"]);
  assert.deepEqual(inner, { a: [1, 2] });
});

test("a list that is changed by what it holds, and a getter that takes keys away, break nothing", () => {
  const stream = new Stream();
  const list: unknown[] = [{ toJSON: () => (list.length = 1, 5) }, 1, 2];
  assert.deepEqual(stream.carry(list), [5, undefined, undefined]);
  const shrinking = () => ({
    get a() {
      Reflect.deleteProperty(this, "b");
      return 1;
    },
    b: 2,
  });
  for (let turn = 0; turn < 3; turn++) stream.carry({ a: 1, b: 2 });
  try {
    stream.carry(shrinking());
  } catch (error) {
    assert.ok(error instanceof NotSerializableError || error instanceof Error);
  }
  assert.deepEqual(stream.carry([{ a: 1, b: 2 }]), [{ a: 1, b: 2 }]);
});

test("bytes share no memory with the chunk or with the program", () => {
  const codec = new CompactCodec();
  const mine = Uint8Array.of(1, 2, 3);
  const encoded = codec.encode([mine], "v");
  mine.fill(9);
  const { flags, parts } = codec.answers([{ id: 1, attempt: 1, kind: 0, value: encoded }]);
  const chunk = Buffer.from(joinBytes(parts));
  const [answer] = new BodyReader().answers(flags, chunk);
  chunk.fill(0);
  assert.deepEqual(answer?.value, [Uint8Array.of(1, 2, 3)]);
});

test("columns of calls: attempts, commands and options that differ", () => {
  const codec = new CompactCodec();
  const reader = new BodyReader();
  const call = (id: number, more: Partial<CallEntry> = {}): CallEntry => {
    return { id, attempt: 1, command: "get", params: codec.encode([id], "p"), options: null, ...more };
  };
  for (
    const calls of [
      [call(1)],
      [call(1), call(70_000, { attempt: 2 })],
      [call(5), call(4, { command: "é" })],
      [call(6), call(7, { options: { target: "sla", timeoutMs: 1.5, caller: "M-1" } }), call(8, { options: {} })],
      [],
    ]
  ) {
    const { flags, parts } = codec.calls(calls, 3);
    const got = reader.calls(flags, joinBytes(parts));
    const expected = calls.map(({ id, attempt, command, options }) => ({
      id,
      attempt,
      command,
      params: [id],
      options,
    }));
    assert.deepEqual(got, { settledBelow: 3, calls: expected });
  }
});

test("random values arrive as they were, for 500 seeds on one stream", () => {
  const stream = new Stream();
  for (let seed = 1; seed <= 500; seed++) {
    const value = new Random(seed).value(5);
    assert.deepEqual(stream.carry(value), value, `seed ${seed}`);
  }
});

// Neither shapes nor integers from 64 to 127 in one byte: what both libraries have.
const others = new ExtensionCodec();

test("@msgpack/msgpack reads what CompactCodec writes, for 300 seeds", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const value = new Random(seed).value(4);
    const bytes = bytesOf(value);
    if (hasLoneSurrogate(value) || bytes.some(isShape)) continue;
    assert.deepEqual(plain(decode(bytes, { extensionCodec: others })), plain(value), `seed ${seed}`);
  }
  assert.deepEqual(decode(bytesOf([new Date(1234567), -5, 1.5, 200, 70_000])), [
    new Date(1234567),
    -5,
    1.5,
    200,
    70_000,
  ]);
});

test("CompactReader reads what @msgpack/msgpack writes, for 300 seeds", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const value = new Random(seed).value(4);
    const bytes = encode(value);
    if (hasLoneSurrogate(value) || bytes.some(isShape)) continue;
    assert.deepEqual(plain(read(bytes)), plain(value), `seed ${seed}`);
  }
  for (const date of [new Date(0), new Date(1234567), new Date(2 ** 33 * 1000 + 1), new Date(-5)]) {
    assert.deepEqual(read(encode(date)), date);
  }
  assert.equal(read(encode(1.5, { forceFloat32: true })), 1.5);
});

/** Whether a byte might be a shape's: letters are, too, so fewer values are compared than could be. */
function isShape(byte: number): boolean {
  return byte >= 0x40 && byte < 0x60;
}

function hasLoneSurrogate(value: unknown): boolean {
  return /\\ud8/.test(JSON.stringify(value));
}

/** `@msgpack/msgpack` refuses the key `__proto__`. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => inner instanceof Uint8Array ? [...inner] : inner);
}

for (
  const [what, bytes] of [
    ["an empty body", []],
    ["a length over what is left", [0xdd, 0xff, 0xff, 0xff, 0xff, 1]],
    ["a map over what is left", [0xdf, 0x7f, 0xff, 0xff, 0xff, 1, 1]],
    ["a text over what is left", [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ["bytes over what is left", [0xc6, 0x10, 0, 0, 0, 1]],
    ["an extension over what is left", [0xc9, 0x10, 0, 0, 0, 0, 1]],
    ["half a number", [0xcb, 1, 2]],
    ["the byte c1", [0xc1]],
    ["a shape that was not told", [0x40, 1]],
    ["a text that is not UTF-8", [0xa2, 0xff, 0xfe]],
    ["a key that is a list", [0x81, 0x90, 1]],
    ["an unknown extension", [0xd4, 0x33, 1]],
    ["a timestamp of 1 byte", [0xd4, 0xff, 1]],
    ["a BigInt that is none", [0xd5, 0x49, 0x31, 0x78]],
    ["half a UTF-16 unit", [0xd4, 0x55, 1]],
    ["bytes after the value", [1, 1]],
    ["2,000 levels", [...new Array<number>(2000).fill(0x91), 1]],
  ] as const
) {
  test(`CompactReader refuses ${what}`, () => {
    assert.throws(() => read(Uint8Array.from(bytes)), BodyError);
  });
}

for (
  const [what, value] of [
    ["a number that is not the next", [1, [["a"]]]],
    ["the key __proto__", [0, [["__proto__"]]]],
    ["a key that is none", [0, [[5]]]],
    ["no lists", [0, ["a"]]],
    ["more shapes than there are numbers", [0, Array.from({ length: 65 }, (_, index) => [`k${index}`])]],
    ["too many keys", [0, [Array.from({ length: 65 }, (_, index) => `k${index}`)]]],
  ] as const
) {
  test(`shapes frame with ${what} is refused`, () => {
    assert.throws(() => new BodyReader().calls(FrameFlag.compact | FrameFlag.shapes, bytesOf(value)), BodyError);
  });
}

test("shape whose keys repeat has the last value", () => {
  const reader = new BodyReader();
  reader.answers(FrameFlag.compact | FrameFlag.shapes, bytesOf([0, [["a", "a"]]]));
  const answers = Uint8Array.of(0x94, 0x91, 1, 0, 0, 0x91, 0x40, 7, 8);
  assert.deepEqual(reader.answers(FrameFlag.compact, answers)[0]?.value, { a: 8 });
});

test("a body with any byte changed is read or refused, and throws nothing but BodyError", () => {
  const codec = new CompactCodec();
  const params = (id: number) =>
    codec.encode([{ id, host: "é", list: [1.5, null, new Date(5), 9n] }, Uint8Array.of(1)], "p");
  const call = (id: number): CallEntry => ({
    id,
    attempt: 1 + id % 2,
    command: "get",
    params: params(id),
    options: null,
  });
  const calls = [call(1), call(2), { ...call(3), options: { target: "sla" } }];
  const before = codec.before();
  assert.ok(before !== undefined);
  const shapes = body(before);
  const { flags, parts } = codec.calls(calls, 1);
  const whole = joinBytes(parts);
  const random = new Random(1);
  for (let at = 0; at < whole.length; at++) {
    for (let turn = 0; turn < 24; turn++) {
      const changed = whole.slice();
      changed[at] = random.below(256);
      const reader = new BodyReader();
      reader.calls(before.flags, shapes);
      try {
        for (const got of reader.calls(flags, changed)?.calls ?? []) assert.ok(Array.isArray(got.params));
      } catch (error) {
        assert.ok(error instanceof BodyError, String(error));
      }
      // What was refused leaves nothing behind.
      assert.equal(reader.calls(flags, whole)?.calls.length, 3);
    }
  }
});

test("random bytes are read or refused, for 20,000 seeds", () => {
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = new Random(seed);
    try {
      read(random.bytes(1 + random.below(40)));
    } catch (error) {
      assert.ok(error instanceof BodyError, `seed ${seed}: ${error}`);
    }
  }
});
