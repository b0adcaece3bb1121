import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventFields } from "../../../src/core/log/events.ts";
import { Guard } from "../../../src/core/child/guard.ts";
import type { ChannelEvents, CommandProcess } from "../../../src/runtime/runtime.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { settle } from "../manual_clock.ts";

/** A guard's shell that does what the test says. */
class FakeShell {
  /** What it was told. */
  told = "";
  /** Whether the end of its input ends it. */
  obeys = true;
  readonly signals: string[] = [];
  readonly process: CommandProcess;
  #exit: () => void = () => {};
  #events: ChannelEvents | undefined;

  constructor() {
    const exited = new Promise<{ code: null; signal: string }>((resolve) => {
      this.#exit = () => resolve({ code: null, signal: "SIGKILL" });
    });
    this.process = {
      pid: 1,
      exited,
      kill: (signal) => this.signals.push(signal) > 0,
      groupRuns: () => false,
      channel: {
        unsentBytes: 0,
        write: (bytes) => void (this.told += new TextDecoder().decode(bytes)),
        open: (events) => this.#events = events,
        close: () => this.obeys && this.#exit(),
        abort: () => this.#exit(),
      },
    };
  }

  async ready(): Promise<void> {
    this.#events?.data(new TextEncoder().encode("ready\n"));
    await settle();
  }

  async die(): Promise<void> {
    this.#events?.closed();
    this.#exit();
    await settle();
  }
}

class GuardedRuntime extends FakeRuntime {
  readonly shells: FakeShell[] = [];
  /** What each start is rejected with, where there is something. */
  refused: Error | null = null;

  override spawnCommand(): Promise<CommandProcess> {
    if (this.refused !== null) return Promise.reject(this.refused);
    const shell = new FakeShell();
    this.shells.push(shell);
    return Promise.resolve(shell.process);
  }
}

async function guarded() {
  const runtime = new GuardedRuntime();
  const lost: EventFields["broker.unguarded"][] = [];
  const guard = new Guard({
    runtime,
    broker: "b",
    sweep: false,
    unguarded: (fields) => lost.push(fields),
    orphan: () => {},
  });
  const started = guard.start();
  await settle();
  await runtime.shells[0]?.ready();
  await started;
  guard.add(100, "sla");
  return { runtime, guard, lost, shell: () => runtime.shells.at(-1) };
}

test("a guard that is killed is followed by another one at once, which watches the same processes", async () => {
  const s = await guarded();
  for (let life = 2; life <= 4; life++) {
    await s.shell()?.die();
    assert.equal(s.runtime.shells.length, life);
    await s.shell()?.ready();
    assert.match(s.shell()?.told ?? "", /^add 100 group \S+\/sla\/1\n$/);
  }
  assert.deepEqual(s.lost, []);
  await s.guard.close();
  assert.equal(s.runtime.clock.timers, 0);
});

test("a guard that can't be started is told and tried again after pauses that grow, and the broker goes on", async () => {
  const s = await guarded();
  s.runtime.refused = new Error("Cannot start /bin/sh: too many files are open");
  await s.shell()?.die();
  for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    assert.deepEqual(s.lost.at(-1), { reason: "Cannot start /bin/sh: too many files are open", delayMs: pause });
    const tries = s.lost.length;
    await s.runtime.clock.advance(pause - 1);
    assert.equal(s.lost.length, tries);
    await s.runtime.clock.advance(1);
  }
  s.guard.add(101, "WebUI");
  s.guard.remove(100);
  s.runtime.refused = null;
  await s.runtime.clock.advance(30_000);
  await s.shell()?.ready();
  assert.match(s.shell()?.told ?? "", /^add 101 group \S+\/WebUI\/2\n$/);
  // A new fault begins with the shortest pause.
  s.runtime.refused = new Error("no process");
  await s.shell()?.die();
  assert.deepEqual(s.lost.at(-1), { reason: "no process", delayMs: 1_000 });
  await s.guard.close();
  assert.equal(s.runtime.clock.timers, 0);
});

test("a guard that ends as soon as it is started is not started over and over", async () => {
  const s = await guarded();
  await s.shell()?.die();
  await s.shell()?.die();
  assert.deepEqual(s.lost, [{ reason: "it ends as soon as it is started", delayMs: 1_000 }]);
  assert.equal(s.runtime.shells.length, 2);
  await s.runtime.clock.advance(1_000);
  assert.equal(s.runtime.shells.length, 3);
  await s.shell()?.ready();
  await s.guard.close();
});

test("a broker that stops while it has no guard does not wait for one", async () => {
  const s = await guarded();
  s.runtime.refused = new Error("too many files are open");
  await s.shell()?.die();
  await s.guard.close();
  assert.equal(s.runtime.clock.timers, 0);
  assert.equal(s.runtime.shells.length, 1);
});

test("a guard that is not ready holds up the start of its broker for 2 s, and one that does not end its stop for 5 s", async () => {
  const runtime = new GuardedRuntime();
  const guard = new Guard({ runtime, broker: "b", sweep: false, unguarded: () => {}, orphan: () => {} });
  const done: string[] = [];
  void guard.start().then(() => done.push("started"));
  await runtime.clock.advance(1_999);
  assert.equal(done.length, 0);
  await runtime.clock.advance(1);
  assert.equal(done.join(), "started");
  const [shell] = runtime.shells;
  assert.ok(shell);
  shell.obeys = false;
  void guard.close().then(() => done.push("stopped"));
  await runtime.clock.advance(4_999);
  assert.deepEqual([done, shell.signals], [["started"], []]);
  await runtime.clock.advance(1);
  assert.deepEqual([done, shell.signals], [["started", "stopped"], ["SIGKILL"]]);
  assert.equal(runtime.clock.timers, 0);
});
