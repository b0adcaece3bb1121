import assert from "node:assert/strict";
import { test } from "node:test";
import { closestMatch, isNumber, objectOf } from "../../src/core/checks.ts";

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
  test(`closestMatch() offers ${expected} for ${JSON.stringify(name)}`, () => {
    assert.equal(closestMatch(name, COMMANDS), expected);
  });
}

test("closestMatch() takes the first of equals, and null where there is no candidate", () => {
  assert.equal(closestMatch("sla", ["sla1", "sla2"]), "sla1");
  assert.equal(closestMatch("sla", []), null);
});

test("objectOf() asks for its own fields only where all objects have an enumerable property", () => {
  const check = objectOf<{ count: number }>({ count: isNumber });
  // As libraries do that extend the built-in prototypes by assignment.
  Object.defineProperty(Object.prototype, "extended", { value: 1, enumerable: true, configurable: true });
  try {
    assert.equal(check({ count: 1 }), true);
    assert.equal(check({ count: "1" }), false);
  } finally {
    Reflect.deleteProperty(Object.prototype, "extended");
  }
});
