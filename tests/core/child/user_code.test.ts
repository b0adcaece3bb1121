import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventId } from "../../../src/core/log/events.ts";
import { type FakeProcess, Supervision } from "./fake_process.ts";

/** What a log function or listener of the program may do when it is told of an event. */
const ACTIONS = {
  stop: (s: Supervision) => s.supervisor.stop(),
  restart: (s: Supervision) => s.supervisor.restart(),
  replace: (s: Supervision) => s.supervisor.replace("by the listener"),
};

/** Lets every process that was spawned do what it should, until nothing more happens. */
async function goOn(s: Supervision, known: Map<FakeProcess, string>): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    for (const life of s.runtime.spawned) {
      const step = known.get(life);
      if (step === undefined) {
        known.set(life, "up");
        await life.hello();
        await life.ready();
      } else if (step === "up" && life.received.some(({ text }) => text === '{"kind":"stop"}')) {
        known.set(life, "ended");
        await life.exit({ code: 0, signal: null });
      }
    }
    await s.advance(100);
  }
}

/** A start, a crash, a restart, a replacement, a restart by hand. */
async function story(s: Supervision) {
  const known = new Map<FakeProcess, string>();
  const asked: Promise<unknown>[] = [s.supervisor.start()];
  await goOn(s, known);
  const crashing = s.runtime.spawned.at(-1);
  if (crashing !== undefined && known.get(crashing) === "up") {
    known.set(crashing, "ended");
    await crashing.exit({ code: 1, signal: null });
  }
  await goOn(s, known);
  asked.push(s.supervisor.replace("a change"));
  await goOn(s, known);
  asked.push(s.supervisor.restart());
  await goOn(s, known);
  asked.push(s.supervisor.stop());
  await goOn(s, known);
  return { known, asked };
}

async function eventsOfTheStory(): Promise<EventId[]> {
  const s = new Supervision();
  await Promise.all((await story(s)).asked);
  return [...new Set(s.reporter.ids())];
}

for (const [name, action] of Object.entries(ACTIONS)) {
  test(`a listener may ${name} a process at whatever event of its life: it ends in good order all the same`, async () => {
    const events = await eventsOfTheStory();
    assert.ok(events.length >= 8, events.join());
    for (const at of events) {
      const s = new Supervision();
      const thrown: unknown[] = [];
      const asked: Promise<unknown>[] = [];
      let isDone = false;
      s.reporter.onReport = (event) => {
        if (event !== at || isDone) return;
        isDone = true;
        try {
          asked.push(action(s));
        } catch (error) {
          thrown.push(error);
        }
      };
      const { known, asked: told } = await story(s);
      asked.push(...told, s.supervisor.stop());
      await goOn(s, known);
      const settled = await Promise.race([
        Promise.allSettled(asked).then((all) => all.filter(({ status }) => status === "rejected")),
        s.advance(60_000).then(() => "hangs"),
      ]);
      assert.deepEqual([at, thrown, settled], [at, [], []]);
      assert.deepEqual([at, s.supervisor.state, s.runtime.clock.timers], [at, "stopped", 0]);
    }
  });
}
