import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "../../src/core/nearest.ts";

const COMMANDS = ["get_module_info", "get_report", "stop", "go"];

for (
  const [name, expected] of [
    ["get_modul_info", "get_module_info"],
    ["get_module_infoo", "get_module_info"],
    ["gte_report", "get_report"],
    ["GET_REPORT", "get_report"],
    ["get_module", null],
    ["stp", "stop"],
    ["stopp", "stop"],
    ["g", "go"],
    ["gi", "go"],
    ["ab", null],
    ["restart everything", null],
    ["", null],
    ["x".repeat(65), null],
    ["get_module_info", "get_module_info"],
  ] as const
) {
  test(`nearest() offers ${expected} for ${JSON.stringify(name)}`, () => {
    assert.equal(nearest(name, COMMANDS), expected);
  });
}

test("nearest() takes the first of equals, and null where there is no candidate", () => {
  assert.equal(nearest("sla", ["sla1", "sla2"]), "sla1");
  assert.equal(nearest("sla", []), null);
});
