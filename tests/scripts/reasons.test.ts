import { test } from "node:test";
import assert from "node:assert/strict";
import { skipLines, withReasons } from "../../scripts/suite/reasons.ts";

const passed = { name: "adds", outcome: "passed", reason: "" } as const;
const skipped = { name: "needs a browser", outcome: "skipped", reason: "" } as const;

test("withReasons() adds what was written down of skipped tests, and leaves what the runtime told", () => {
  const told = { ...skipped, name: "told", reason: "no /proc" };
  const written = '["needs a browser","there is none"]\n["told","other"]\n["adds","no"]\n';
  assert.deepEqual(withReasons([passed, skipped, told], written), [
    passed,
    { ...skipped, reason: "there is none" },
    told,
  ]);
  assert.deepEqual(withReasons([skipped], ""), [skipped]);
});

test("skipLines() gives a line for each test and reason, with the runtimes", () => {
  const file = (runtime: string, reason: string) => ({
    runtime,
    path: "tests/a.test.ts",
    result: { skipped: [{ ...skipped, reason }] },
  });
  assert.deepEqual(skipLines([file("deno", "there is none"), file("node", ""), file("bun", "there is none")]), [
    "skipped: deno, bun tests/a.test.ts: needs a browser: there is none",
    "skipped: node tests/a.test.ts: needs a browser: no reason given",
  ]);
});
