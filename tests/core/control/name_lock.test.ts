import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { bindSocket } from "../../../src/core/control/name_lock.ts";
import { property } from "../property.ts";
import { settle } from "../manual_clock.ts";
import { type FakeProcess, SocketFolder } from "./sockets.ts";

const PATH = "/run/brokkr/b.sock";

property(
  "bindSocket() by several at once gives a dead broker's name to exactly one, whatever the order of their steps",
  fc.record({ processes: fc.integer({ min: 2, max: 4 }), order: fc.array(fc.nat(), { minLength: 0, maxLength: 120 }) }),
  async ({ processes, order }) => {
    const folder = new SocketFolder();
    folder.paths.set(PATH, null);
    const steps: (() => void)[] = [];
    const step = () => new Promise<void>((resolve) => steps.push(resolve));
    const claimants = Array.from({ length: processes }, (_, index) => folder.process(100 + index, step));
    const names: string[] = [];
    let open = processes;
    for (const claimant of claimants) {
      void claimed(claimant).then((name) => names.push(name)).finally(() => open--);
    }
    for (let turn = 0; open > 0; turn++) {
      assert.ok(turn < 50_000, `${open} of ${processes} never settled`);
      await settle();
      const [next] = steps.splice((order[turn] ?? turn * 7) % Math.max(1, steps.length), 1);
      // Who pauses goes on only when nobody else does anything: pauses are longer than steps.
      if (next === undefined) { for (const { clock } of claimants) await clock.advance(10); }
      else next();
    }
    assert.deepEqual(names.toSorted(), [...Array<string>(processes - 1).fill("NameTakenError"), "won"].toSorted());
    assert.deepEqual([...folder.paths.keys()], [PATH]);
    assert.notEqual(folder.paths.get(PATH), null);
    assert.deepEqual(claimants.map(({ clock }) => clock.timers), claimants.map(() => 0));
  },
);

test("bindSocket() waits for one who has begun, and takes the name when that one is dead", async () => {
  const folder = new SocketFolder();
  const dying = folder.process(7);
  await dying.listen("/run/brokkr-turns/b~7~zz");
  const claimant = folder.process(8);
  const outcome = claimed(claimant);
  await claimant.clock.advance(9_000);
  dying.die();
  await claimant.clock.advance(1_000);
  assert.equal(await outcome, "won");
  assert.deepEqual([...folder.paths.keys()], [PATH]);
});

test("bindSocket() gives up after 10 s where another process neither ends nor goes on, and names it", async () => {
  const folder = new SocketFolder();
  await folder.process(4711).listen("/run/brokkr-turns/b~3mv~0");
  const claimant = folder.process(8);
  const outcome = bindSocket(claimant, { broker: "b", path: PATH, accept: () => {} });
  const refused = assert.rejects(outcome, {
    name: "ControlSocketError",
    message: 'Cannot start broker "b": process 4711 has been starting one for 10 s, end it and start again',
  });
  await claimant.clock.advance(12_000);
  await refused;
  assert.deepEqual([...folder.paths.keys()], ["/run/brokkr-turns/b~3mv~0"]);
  assert.equal(claimant.clock.timers, 0);
});

test("bindSocket() takes a listener that holds a connection up for one that is live, after 5 s", async () => {
  const folder = new SocketFolder();
  folder.paths.set(PATH, null);
  const claimant = folder.process(8);
  const { connect } = claimant;
  claimant.connect = (path) => path === PATH ? new Promise(() => {}) : connect.call(claimant, path);
  const outcome = claimed(claimant);
  await claimant.clock.advance(5_000);
  assert.equal(await outcome, "NameTakenError");
  assert.equal(claimant.clock.timers, 0);
});

async function claimed(claimant: FakeProcess): Promise<string> {
  try {
    await bindSocket(claimant, { broker: "b", path: PATH, accept: () => {} });
    return "won";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
