import assert from "node:assert/strict";
import { test } from "node:test";
import { MAY_FOLLOW, StateMachine } from "../../../src/core/child/restart.ts";
import type { ProcessState } from "../../../src/core/wire/status.ts";

/** A way to each state from a machine's first one. */
const WAYS: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  stopped: [],
  starting: ["starting"],
  cleaning: ["starting", "cleaning"],
  ready: ["starting", "cleaning", "ready"],
  draining: ["starting", "draining"],
  backoff: ["starting", "backoff"],
  failed: ["starting", "failed"],
};

/** Every pair that is allowed: state by state what may follow. */
const ALLOWED: readonly string[] = [
  "stopped starting",
  "stopped failed",
  "starting cleaning",
  "starting ready",
  "starting draining",
  "starting backoff",
  "starting failed",
  "starting stopped",
  "cleaning ready",
  "cleaning draining",
  "cleaning backoff",
  "cleaning failed",
  "cleaning stopped",
  "ready draining",
  "ready backoff",
  "ready failed",
  "ready stopped",
  "draining stopped",
  "draining backoff",
  "draining failed",
  "backoff starting",
  "backoff stopped",
  "failed starting",
  "failed stopped",
];

const STATES = Object.keys(WAYS) as ProcessState[];

test("a process goes from each state to those of the table and to no other", () => {
  assert.deepEqual(Object.keys(MAY_FOLLOW).toSorted(), STATES.toSorted());
  for (const from of STATES) {
    for (const to of STATES) {
      const machine = new StateMachine("sla");
      for (const state of WAYS[from]) machine.become(state);
      assert.equal(machine.state, from);
      if (ALLOWED.includes(`${from} ${to}`)) {
        machine.become(to);
        assert.equal(machine.state, to);
      } else {
        assert.throws(() => machine.become(to), new Error(`Cannot make process "sla" ${to}: it is ${from}`));
        assert.equal(machine.state, from);
      }
    }
  }
});

test("settled() waits through what passes, and not for what lasts", async () => {
  const machine = new StateMachine("sla");
  await machine.settled();
  machine.become("starting");
  let isSettled = false;
  const settled = machine.settled().then(() => isSettled = true);
  machine.become("backoff");
  await Promise.resolve();
  assert.equal(isSettled, false);
  machine.become("starting");
  machine.become("failed");
  await settled;
});

test("is(), tried() and settled() see a state that the next one has followed at once", async () => {
  const machine = new StateMachine("sla");
  machine.become("starting");
  const seen: string[] = [];
  const waits = [
    machine.is("stopped").then(() => seen.push("is")),
    machine.tried().then(() => seen.push("tried")),
    machine.settled().then(() => seen.push("settled")),
  ];
  machine.become("stopped");
  machine.become("starting");
  await Promise.all(waits);
  assert.deepEqual(seen, ["is", "tried", "settled"]);
});
