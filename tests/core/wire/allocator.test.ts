import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator } from "../../../src/core/wire/shared_memory.ts";

test("the lowest room is taken, so that memory is used again", () => {
  const allocator = new Allocator(100);
  assert.deepEqual([allocator.take(40), allocator.take(40)], [0, 40]);
  assert.ok(allocator.free(1));
  assert.deepEqual([allocator.take(30), allocator.take(20)], [0, 80]);
  assert.ok(allocator.free(1));
  assert.equal(allocator.take(50), 30);
});

test("what does not fit is not taken, and takes no room", () => {
  const allocator = new Allocator(100);
  assert.equal(allocator.take(101), undefined);
  assert.deepEqual([allocator.take(60), allocator.take(60), allocator.take(40)], [0, undefined, 60]);
});

test("a place that is taken back is free", () => {
  const allocator = new Allocator(100);
  allocator.take(50);
  allocator.take(50);
  allocator.takeBack();
  assert.equal(allocator.isEmpty, false);
  assert.equal(allocator.take(50), 50);
});

test("no more are freed than were taken", () => {
  const allocator = new Allocator(100);
  allocator.take(10);
  assert.equal(allocator.free(2), false);
  assert.equal(allocator.isEmpty, false);
  assert.ok(allocator.free(1));
  assert.ok(allocator.isEmpty);
});

test("no two places overlap, whatever is taken and freed", () => {
  const allocator = new Allocator(1_000);
  let seed = 1;
  const random = (limit: number) => (seed = seed * 48_271 % 2_147_483_647) % limit;
  const taken: { start: number; end: number }[] = [];
  for (let round = 0; round < 2_000; round++) {
    const bytes = 1 + random(300);
    const start = allocator.take(bytes);
    if (start === undefined) {
      const count = 1 + random(taken.length);
      assert.ok(allocator.free(count));
      taken.splice(0, count);
      continue;
    }
    const end = start + bytes;
    assert.ok(end <= 1_000);
    assert.ok(taken.every((other) => end <= other.start || start >= other.end), `${start} to ${end} is taken`);
    taken.push({ start, end });
  }
});
