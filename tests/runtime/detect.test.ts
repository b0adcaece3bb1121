import assert from "node:assert/strict";
import { test } from "node:test";
import { RUNTIMES, tooOld } from "../../src/runtime/detect.ts";

for (
  const [runtime, version, text] of [
    ["deno", "2.6.8", "brokkr needs Deno 2.7 or newer, this is 2.6.8"],
    ["deno", "1.46.3", "brokkr needs Deno 2.7 or newer, this is 1.46.3"],
    ["deno", "2.7.0-rc.1", null],
    ["deno", "3.0.0", null],
    ["node", "18.20.8", "brokkr needs Node 20.19 or newer, this is 18.20.8"],
    ["node", "20.18.3", "brokkr needs Node 20.19 or newer, this is 20.18.3"],
    ["node", "20.19.0", null],
    ["node", "22.0.0-nightly1", null],
    ["bun", "1.3.14", "brokkr needs Bun 1.4.1 or newer, this is 1.3.14"],
    ["bun", "1.4.0", "brokkr needs Bun 1.4.1 or newer, this is 1.4.0"],
    ["bun", "1.4.1", null],
    ["bun", "1.5.0-canary.1", null],
    ["bun", "1.10.0", null],
    ["bun", "unknown", "brokkr needs Bun 1.4.1 or newer, this is unknown"],
  ] as const
) {
  test(`tooOld() says ${text === null ? "nothing" : "what is needed"} of ${runtime} ${version}`, () => {
    assert.equal(tooOld(RUNTIMES[runtime], version), text);
  });
}
