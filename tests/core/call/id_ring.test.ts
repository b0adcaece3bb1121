import assert from "node:assert/strict";
import fc from "fast-check";
import { IdRing } from "../../../src/core/call/reply_cache.ts";
import { property } from "../property.ts";

/** How far behind the newest the ones lie that are deleted and asked for. */
const stays = fc.constantFrom(1, 50, 5_000).chain((stay) =>
  fc.array(fc.nat({ max: stay }), { minLength: 2_000, maxLength: 20_000, size: "max" })
);

property("ById holds what a Map would, whether things go in their order or stay long", stays, (offsets) => {
  const things = new IdRing<{ id: number }>();
  const expected = new Map<number, { id: number }>();
  for (const [index, offset] of offsets.entries()) {
    const thing = { id: index + 1 };
    things.add(thing);
    expected.set(thing.id, thing);
    if (thing.id % 500 !== 0) {
      assert.equal(things.delete(thing.id - offset), expected.delete(thing.id - offset));
    }
    const asked = thing.id - offset + 5;
    assert.equal(things.get(asked), expected.get(asked));
    assert.equal(things.size, expected.size);
  }
  assert.deepEqual(things.sorted(), [...expected.values()]);
  things.clear();
  assert.deepEqual([things.size, things.sorted(), things.get(500)], [0, [], undefined]);
}, { runs: 10 });
