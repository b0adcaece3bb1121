import * as brokkr from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";

test("every public class and function has its public name, which errors and stacks show", () => {
  const values: [string, unknown][] = Object.entries(brokkr);
  const named = values.map(([name, value]) => [name, typeof value === "function" ? value.name : typeof value]);
  assert.deepEqual(named, values.map(([name]) => [name, name]));
  assert.ok(values.length > 10);
});
