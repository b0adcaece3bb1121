import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferPool } from "../../../src/core/wire/serializable.ts";
import { Codec } from "../../../src/core/wire/codec.ts";

test("memory that was given is taken again where the value fits and does not leave most of it empty", () => {
  const pool = new BufferPool();
  const large = pool.take(1_000_000);
  pool.give(large);
  assert.notEqual(pool.take(200_000), large, "too small a value for it");
  assert.notEqual(pool.take(1_000_001), large, "too large a value for it");
  assert.equal(pool.take(900_000), large);
  assert.notEqual(pool.take(900_000), large, "it is taken once");
});

test("more spare memory than eight pieces is left to the engine, the oldest first", () => {
  const pool = new BufferPool();
  const pieces = Array.from({ length: 9 }, (_, index) => new Uint8Array(1_000 + index));
  for (const piece of pieces) pool.give(piece);
  const taken = pieces.map(() => pool.take(1_000));
  assert.deepEqual(taken.slice(0, 8), pieces.slice(1));
  assert.equal(taken[8]?.length, 1_000);
});

test("a large value has memory of its own, which the next one uses when the first is released", () => {
  const codec = new Codec("rich");
  const memory = (value: unknown) => codec.encode(value, "value").parts[0]?.buffer;
  const first = codec.encode(new Uint8Array(200_000).fill(1), "value");
  const second = codec.encode(new Uint8Array(200_000).fill(2), "value");
  const taken = first.parts[0]?.buffer;
  assert.notEqual(second.parts[0]?.buffer, taken);
  codec.release(first);
  codec.release(codec.encode("small", "value"));
  assert.equal(memory(new Uint8Array(199_000).fill(3)), taken);
  assert.notEqual(memory(new Uint8Array(199_000).fill(4)), taken);
  assert.equal(second.parts[0]?.[100], 2, "what was not released is as it was");
});
