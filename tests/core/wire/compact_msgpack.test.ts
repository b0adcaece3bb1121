import assert from "node:assert/strict";
import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";
import fc from "fast-check";
import { test } from "node:test";
import { property } from "../property.ts";
import { plainValues } from "../values.ts";
import { bytesOf, hasLoneSurrogate, read } from "./compact_stream.ts";

// Neither shapes nor integers from 64 to 127 in one byte: what both libraries have.
const others = new ExtensionCodec();

property("@msgpack/msgpack reads what CompactCodec writes", plainValues, (value) => {
  const bytes = bytesOf(value);
  fc.pre(!hasLoneSurrogate(value) && !bytes.some(isShape));
  assert.equal(plain(decode(bytes, { extensionCodec: others })), plain(value));
});

property("CompactReader reads what @msgpack/msgpack writes", plainValues, (value) => {
  const bytes = encode(value);
  fc.pre(!hasLoneSurrogate(value) && !bytes.some(isShape));
  assert.equal(plain(read(bytes)), plain(value));
});

test("@msgpack/msgpack and CompactCodec write Dates and numbers alike", () => {
  const values = [new Date(1234567), -5, 1.5, 200, 70_000];
  assert.deepEqual(decode(bytesOf(values)), values);
  for (const date of [new Date(0), new Date(1234567), new Date(2 ** 33 * 1000 + 1), new Date(-5)]) {
    assert.deepEqual(read(encode(date)), date);
  }
  assert.equal(read(encode(1.5, { forceFloat32: true })), 1.5);
});

/** Whether a byte might be a shape's: letters are, too, so fewer values are compared than could be. */
function isShape(byte: number): boolean {
  return byte >= 0x40 && byte < 0x60;
}

/** `@msgpack/msgpack` writes whole numbers over 32 bits as integers of 64, which arrive as BigInts. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (typeof inner === "bigint") return Number(inner);
    return inner instanceof Uint8Array ? [...inner] : inner;
  });
}
