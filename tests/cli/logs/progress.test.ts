import assert from "node:assert/strict";
import { test } from "node:test";
import { progressText } from "../../../src/cli/logs/summarize.ts";

test("progressText() shows the part, the bytes, the speed and the time that is left", () => {
  assert.equal(
    progressText(250_000_000, 1_000_000_000, 2_000),
    "[#######-----------------------] 25 %, 250 MB, 125 MB/s, 6s left",
  );
  assert.equal(progressText(1_000, 1_000, 1_000), "[##############################] 100 %, 0 MB, 0 MB/s, 0s left");
});

test("progressText() shows bytes and speed alone where nobody knows how much there is", () => {
  assert.equal(progressText(1_250_000_000, null, 10_000), "1,250 MB, 125 MB/s");
});
