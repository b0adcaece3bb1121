import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "../../src/core/recent_map.ts";

test("a key that was asked for last gets what it has now, whatever was changed in between", () => {
  const map = new RecentMap<string, number>();
  assert.equal(map.get("a"), undefined);
  map.set("a", 1);
  assert.equal(map.get("a"), 1);
  map.set("a", 2);
  assert.equal(map.get("a"), 2);
  map.set("b", 3);
  assert.deepEqual([map.get("b"), map.get("a")], [3, 2]);
  map.delete("a");
  assert.deepEqual([map.get("a"), map.get("b")], [undefined, 3]);
  map.clear();
  assert.deepEqual([map.get("b"), map.size], [undefined, 0]);
});
