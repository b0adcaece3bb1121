import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../../src/cli/values.ts";

test("parseDuration() gives milliseconds of a number with its unit", () => {
  assert.deepEqual(["500ms", "1s", "2m", "1.5s", "1h"].map(parseDuration), [500, 1_000, 120_000, 1_500, 3_600_000]);
});

test("parseDuration() refuses a bare number and says why", () => {
  assert.equal(
    parseDuration("500"),
    '"500" must be a time above 0 with its unit, such as 500ms, 1s or 2m; a number without a unit is not one',
  );
});

test("parseDuration() refuses what is no time", () => {
  for (const text of ["", "s", "-1s", "0ms", "1 s", "1d", "1e3s", "9999999999s", "Infinityms"]) {
    assert.equal(typeof parseDuration(text), "string", text);
  }
});
