import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyReader } from "../../../src/core/wire/codec.ts";
import { CompactCodec } from "../../../src/core/wire/compact_codec.ts";
import { BodyError, FrameFlag, type Packed } from "../../../src/core/wire/frame.ts";
import { joinBytes } from "../../../src/core/wire/bytes.ts";
import { bytesOf, CompactStream, read } from "./compact_stream.ts";

const body = ({ parts }: Packed) => joinBytes(parts).slice();

test("keys of repeated objects travel once a stream, and again on the next", () => {
  const codec = new CompactCodec();
  const value = { alpha: 1, beta: [2] };
  const lengths = [1, 2, 3].map(() => bytesOf(value, codec).length);
  assert.deepEqual(lengths, [15, 4, 4]);
  assert.deepEqual(bytesOf(value, codec), Uint8Array.of(0x40, 1, 0x91, 2));
  const stream = { sentCount: 0 };
  const first = codec.before(stream);
  assert.ok(first !== undefined);
  assert.equal(first.flags, FrameFlag.compact | FrameFlag.shapes);
  assert.deepEqual(read(body(first)), [0, [["alpha", "beta"]]]);
  assert.equal(codec.before(stream), undefined);
  assert.ok(codec.before({ sentCount: 0 }) !== undefined);
});

test("objects of more shapes than there are numbers arrive as they are", () => {
  const stream = new CompactStream();
  for (let turn = 0; turn < 3; turn++) {
    for (let index = 0; index < 200; index++) {
      const value = { [`key${index}`]: index, common: turn };
      assert.deepEqual(stream.carry([value, value]), [value, value]);
    }
  }
});

test("objects that begin alike and go on differently are told apart", () => {
  const stream = new CompactStream();
  const values = [{ type: 1 }, { type: 1, a: 2 }, { type: 1, b: 2 }, { type: 1, a: 2, b: 3 }, { a: 2, type: 1 }, {}];
  for (let turn = 0; turn < 5; turn++) {
    for (const value of values) assert.deepEqual(JSON.stringify(stream.carry(value)), JSON.stringify(value));
  }
});

test("a shape whose keys are words of the language or quotes is a shape like others", () => {
  const stream = new CompactStream();
  const value = { "constructor": 1, "});process.exit(1)//": 2, '"': 3, "\u2028": 4, "\ud800": 5, "0": 6, "toJSON": 7 };
  for (let turn = 0; turn < 3; turn++) assert.deepEqual(stream.carry(value), value);
});

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
  assert.deepEqual(reader.answers(FrameFlag.compact, answers).values[0], { a: 8 });
});
