import assert from "node:assert/strict";
import { test } from "node:test";
import { FILE, MODULE_KEYS, PROGRAM_KEYS } from "../../../src/cli/config/file_keys.ts";
import { outputLimits, supervisionPlan } from "../../../src/core/settings/settings.ts";
import { IN_FILE, type Table, wrongIn } from "../../../src/core/settings/table.ts";

test("supervisionPlan() has the default of each key that is left out or undefined, and null where there is none", () => {
  const loose: object = { restart: { delayMs: undefined, factor: 3 }, memory: { warnBytes: 5 }, drainMs: undefined };
  const plan = supervisionPlan(loose);
  assert.deepEqual([plan.restart.delayMs, plan.restart.factor, plan.restart.policy], [100, 3, "on-failure"]);
  assert.deepEqual([plan.drainMs, plan.killMs, plan.startTimeoutMs], [5_000, 2_000, 10_000]);
  assert.deepEqual(plan.heartbeat, { intervalMs: 5_000, timeoutMs: 15_000, onBlocked: "report" });
  assert.deepEqual(plan.memory, { warnBytes: 5, recycleBytes: null, checkMs: 30_000 });
  assert.equal("after" in plan, false);
  assert.equal(supervisionPlan({ restart: "never" }).restart.policy, "never");
  assert.deepEqual(outputLimits(), { maxLinesPerSecond: 500, maxLineBytes: 8_192 });
});

test("every default of the tables is a value that its own row takes", () => {
  const check = (rows: Table, path: string) => {
    for (const [key, row] of Object.entries(rows)) {
      if (row.is === "group") check(row.keys, `${path}${key}.`);
      if (!("default" in row)) continue;
      const { needed: _needed, ...optional } = row;
      assert.deepEqual([...wrongIn({ [key]: optional }, { [key]: row.default }, IN_FILE)], [], `${path}${key}`);
    }
  };
  for (const rows of [FILE, MODULE_KEYS, PROGRAM_KEYS]) check(rows, "");
});

test("a number that must not exceed another names a number of its own group", () => {
  const check = (rows: Table) => {
    for (const row of Object.values(rows)) {
      if (row.is === "group") check(row.keys);
      if (row.is === "number" && row.upTo !== undefined) assert.equal(rows[row.upTo]?.is, "number");
    }
  };
  check(MODULE_KEYS);
});
