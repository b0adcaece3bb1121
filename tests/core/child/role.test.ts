import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeDepth, encodeRole, processName, readRole } from "../../../src/core/child/role.ts";

const ROLE = {
  broker: "b",
  module: "M",
  worker: null,
  depth: 2,
  channel: "fd:3",
  load: null,
  given: null,
  tree: null,
  descendants: "kill",
} as const;

test("readRole() gives back what encodeRole() wrote, with the process' name", () => {
  assert.deepEqual(readRole(encodeRole(ROLE)), { depth: 2, role: { ...ROLE, process: "M" } });
  const worker = { ...ROLE, worker: 3, load: [["sla", "/x/sla.ts"], ["a", "file:///a b.ts"]] } as const;
  assert.deepEqual(readRole(encodeRole(worker)).role, { ...worker, process: "M-3" });
});

test("readRole() finds no role in the variable's absence, in an empty one, and in a depth alone", () => {
  assert.deepEqual(readRole(undefined), { role: null, depth: 0 });
  assert.deepEqual(readRole(""), { role: null, depth: 0 });
  assert.deepEqual(readRole(encodeDepth(4)), { role: null, depth: 4 });
  assert.deepEqual(readRole(encodeDepth(4, "t", 29341)), { role: null, depth: 4, pid: 29341 });
});

for (
  const text of [
    "yes",
    "{",
    "null",
    "5",
    "[]",
    "{}",
    '{"depth":"1"}',
    '{"depth":1,"broker":5,"module":"M","worker":null,"channel":"x"}',
    '{"depth":1,"broker":"b","worker":null,"channel":"x"}',
    '{"depth":1,"broker":"b","module":"M","worker":"1","channel":"x"}',
    '{"depth":1,"broker":"b","module":"M","worker":null}',
  ]
) {
  test(`readRole() refuses ${text} and quotes it`, () => {
    const message = `Cannot read environment variable BROKKR_ROLE: it must be set by brokkr only, and it is "${text}"`;
    assert.throws(() => readRole(text), { message });
  });
}

test("readRole() refuses what is deeper than brokers nest", () => {
  assert.equal(readRole(encodeDepth(8)).depth, 8);
  assert.throws(() => readRole(encodeDepth(9)), {
    message: "Cannot start a broker at depth 9: brokers nest at most 8 deep, and a program that starts itself again " +
      "without a Broker.start in its way never ends",
  });
  assert.throws(() => readRole(encodeRole({ ...ROLE, depth: 100 })), /at depth 100/);
});

test("processName() numbers workers", () => {
  assert.equal(processName("M", null), "M");
  assert.equal(processName("M", 12), "M-12");
});
