import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "../../../src/core/wire/places.ts";

test("the lowest room is taken, so that memory is used again", () => {
  const places = new Places(100);
  assert.deepEqual([places.take(40), places.take(40)], [0, 40]);
  assert.ok(places.free(1));
  assert.deepEqual([places.take(30), places.take(20)], [0, 80]);
  assert.ok(places.free(1));
  assert.equal(places.take(50), 30);
});

test("what does not fit is not taken, and takes no room", () => {
  const places = new Places(100);
  assert.equal(places.take(101), undefined);
  assert.deepEqual([places.take(60), places.take(60), places.take(40)], [0, undefined, 60]);
});

test("a place that is taken back is free", () => {
  const places = new Places(100);
  places.take(50);
  places.take(50);
  places.takeBack();
  assert.equal(places.isEmpty, false);
  assert.equal(places.take(50), 50);
});

test("no more are freed than were taken", () => {
  const places = new Places(100);
  places.take(10);
  assert.equal(places.free(2), false);
  assert.equal(places.isEmpty, false);
  assert.ok(places.free(1));
  assert.ok(places.isEmpty);
});

test("no two places overlap, whatever is taken and freed", () => {
  const places = new Places(1_000);
  let seed = 1;
  const random = (limit: number) => (seed = seed * 48_271 % 2_147_483_647) % limit;
  const taken: { start: number; end: number }[] = [];
  for (let round = 0; round < 2_000; round++) {
    const bytes = 1 + random(300);
    const start = places.take(bytes);
    if (start === undefined) {
      const count = 1 + random(taken.length);
      assert.ok(places.free(count));
      taken.splice(0, count);
      continue;
    }
    const end = start + bytes;
    assert.ok(end <= 1_000);
    assert.ok(taken.every((other) => end <= other.start || start >= other.end), `${start} to ${end} is taken`);
    taken.push({ start, end });
  }
});
