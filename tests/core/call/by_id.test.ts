import assert from "node:assert/strict";
import { test } from "node:test";
import { ById } from "../../../src/core/call/by_id.ts";
import { Random } from "../random.ts";

test("ById holds what a Map would, whether things go in their order or stay long", () => {
  for (const stay of [1, 50, 5_000]) {
    const random = new Random(stay);
    const things = new ById<{ id: number }>();
    const expected = new Map<number, { id: number }>();
    for (let id = 1; id <= 20_000; id++) {
      const thing = { id };
      things.add(thing);
      expected.set(id, thing);
      const other = id - random.below(stay);
      if (id % 500 !== 0) assert.equal(things.delete(other), expected.delete(other));
      const asked = 1 + random.below(id + 10);
      assert.equal(things.get(asked), expected.get(asked));
      assert.equal(things.size, expected.size);
    }
    assert.deepEqual(things.sorted(), [...expected.values()]);
    things.clear();
    assert.deepEqual([things.size, things.sorted(), things.get(500)], [0, [], undefined]);
  }
});
