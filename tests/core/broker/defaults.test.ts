// What holds where nothing is set, as the reference says it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { QueueFullError } from "../../../src/core/faults.ts";
import { rejection } from "../call/conversation.ts";
import { settle } from "../manual_clock.ts";
import { FakeBroker } from "./fake_broker.ts";
import { MemoryTree } from "./memory_tree.ts";

async function starting(): Promise<FakeBroker> {
  const t = new FakeBroker({ sla: {} });
  void t.core.start();
  await settle();
  return t;
}

test("what a process is told with the hello", async () => {
  const t = await starting();
  await t.life("sla").hello();
  const hello = t.life("sla").received.find(({ type }) => type === FrameType.hello);
  const { wanted: _, ...setup } = JSON.parse(hello?.text ?? "{}").setup;
  assert.deepEqual(setup, {
    frameLimit: 16 * 1024 * 1024,
    cleanupMs: 5_000,
    timeoutMs: 1_000,
    retry: "once",
    options: null,
    supervision: {
      restart: {
        policy: "on-failure",
        delayMs: 100,
        factor: 2,
        maxDelayMs: 30_000,
        jitter: 0.1,
        minUptimeMs: 10_000,
        maxRestarts: 5,
        windowMs: 60_000,
        escalate: "ignore",
      },
      startTimeoutMs: 10_000,
      drainMs: 5_000,
      killMs: 2_000,
      heartbeat: { intervalMs: 5_000, timeoutMs: 15_000, onBlocked: "report" },
      memory: { warnBytes: null, recycleBytes: null, checkMs: 30_000 },
    },
    concurrency: null,
    queue: null,
    output: { maxLinesPerSecond: 500, maxLineBytes: 8_192 },
    names: ["broker-master", "sla"],
  });
});

test("a process that says no hello is killed after 10 s, and not before", async () => {
  const t = await starting();
  await t.runtime.clock.advance(9_999);
  assert.deepEqual(t.life("sla").signals, []);
  await t.runtime.clock.advance(1);
  assert.deepEqual(t.life("sla").signals, ["SIGKILL"]);
});

test("a process that does not end gets SIGTERM after 5 s, and SIGKILL 2 s later", async () => {
  const t = await starting();
  await t.up("sla");
  void t.core.stop();
  await t.runtime.clock.advance(4_999);
  assert.deepEqual(t.life("sla").signals, []);
  await t.runtime.clock.advance(1);
  assert.deepEqual(t.life("sla").signals, ["SIGTERM"]);
  await t.runtime.clock.advance(1_999);
  assert.deepEqual(t.life("sla").signals, ["SIGTERM"]);
  await t.runtime.clock.advance(1);
  assert.deepEqual(t.life("sla").signals, ["SIGTERM", "SIGKILL"]);
});

test("a call is sent again after 1 s, and given up 1 s later", async () => {
  const t = await starting();
  await t.up("sla");
  const calls = () => t.life("sla").received.filter(({ type }) => type === FrameType.calls).length;
  let outcome: unknown;
  t.core.call("sla", "size").catch((error: unknown) => outcome = error);
  await t.runtime.clock.advance(999);
  assert.equal(calls(), 1);
  await t.runtime.clock.advance(1);
  assert.equal(calls(), 2);
  await t.runtime.clock.advance(999);
  assert.equal(outcome, undefined);
  await t.runtime.clock.advance(1);
  assert.match(String(outcome), /timeout \(1s\).*2 attempts/);
});

test("20,000 calls wait for a module that is not up, and the next one is refused", async () => {
  const t = await starting();
  for (let call = 0; call < 20_000; call++) t.core.call("sla", "size").catch(() => {});
  const error = await rejection(t.core.call("sla", "size"));
  assert.ok(error instanceof QueueFullError);
  assert.deepEqual([error.depth, error.limit], [20_000, 20_000]);
});

test("64 MiB of calls wait for a module that is not up, and the next byte is refused", async () => {
  const t = await starting();
  const MIB = 1024 * 1024;
  // What a list of one text adds to it, with the place where it belongs.
  const text = "x".repeat(8 * MIB - 44);
  for (let call = 0; call < 8; call++) t.core.call("sla", "take", [text]).catch(() => {});
  const error = await rejection(t.core.call("sla", "size"));
  assert.ok(error instanceof QueueFullError);
  assert.deepEqual([error.depth, error.limit], [64 * MIB, 64 * MIB]);
});

test("a module that ends again and again is started 5 times in a minute, with pauses from 100 ms on, and then has failed", async () => {
  const t = await starting();
  await t.up("sla");
  const pauses: number[] = [];
  for (let end = 0; end < 6; end++) {
    await t.life("sla").exit({ code: 1, signal: null });
    await settle();
    const { modules: [sla] } = await t.core.status();
    if (sla?.state === "failed") break;
    pauses.push(sla?.nextRestartMs ?? 0);
    await t.runtime.clock.advance(sla?.nextRestartMs ?? 0);
    await t.up("sla");
  }
  assert.deepEqual(pauses, [0, 100, 200, 400, 800]);
  assert.deepEqual(await t.states(), ["sla failed"]);
  assert.equal(t.lives("sla").length, 6);
});

test("a module that was ready for 10 s has proven itself: its next restart comes at once", async () => {
  for (const [upMs, pauseMs] of [[9_999, 100], [10_000, 0]] as const) {
    const t = await starting();
    await t.up("sla");
    await t.life("sla").exit({ code: 1, signal: null });
    await t.runtime.clock.advance(0);
    await t.up("sla");
    await t.runtime.clock.advance(upMs);
    await t.life("sla").exit({ code: 1, signal: null });
    await settle();
    const { modules: [sla] } = await t.core.status();
    assert.equal(sla?.nextRestartMs ?? 0, pauseMs);
  }
});

test("a program has 60 s for its initialize exchange", async () => {
  const t = new MemoryTree([{ name: "mcp", command: ["mcp"], protocol: "mcp", restart: "never" }], {
    programs: { mcp: () => undefined },
  });
  const started = t.core.start();
  await t.rest(59_999);
  assert.deepEqual(t.lines(/^process\.killed/), []);
  await t.rest(1);
  assert.equal(t.lines(/^process\.killed/).length, 1);
  await t.ends(started);
});

test("the line of a program that is late says what may still be downloading", async () => {
  const late = "process did not reach the end of its initialize exchange in 60s";
  for (
    const [command, why] of [
      ["mcp", late],
      ["/usr/bin/npx", `${late}: npx may still be downloading, run the command once by hand or raise startTimeoutMs`],
    ] as const
  ) {
    const t = new MemoryTree([{ name: "mcp", command: [command], protocol: "mcp", restart: "never" }], {
      programs: { [command]: () => undefined, mcp: () => undefined },
    });
    const started = t.core.start();
    await t.rest(60_000);
    const [line = ""] = t.lines(/^process\.killed/);
    assert.equal(line.slice(line.indexOf("): ") + "): ".length), why);
    await t.ends(started);
  }
});

test("of a text of ctx.log 10,000 characters are logged", async () => {
  const say = defineModule({ name: "say", start: (ctx) => ctx.log.info("x".repeat(20_000)) });
  const t = await MemoryTree.up([say]);
  const [said] = t.records.filter(({ event }) => event === "module.info");
  assert.match(JSON.stringify(said?.fields), /"x{10000}…[^x]*"/);
  assert.match(said?.lines()[0] ?? "", / x{10000}…?[^x]*$/);
});

test("status waits 500 ms for what a module says of its workers, and then has what it said last", async () => {
  const t = await MemoryTree.up([{ name: "sla", workers: { count: 1, commands: {} } }]);
  const workers = async (ms: number) => {
    let names: string[] | undefined;
    void t.core.status().then(({ modules: [sla] }) => names = sla?.workers.map(({ name }) => name));
    await t.rest(ms);
    await t.rest();
    return names;
  };
  assert.deepEqual(await workers(0), ["sla-1"], "the first one");
  t.process("sla").parent?.block();
  assert.equal(await workers(499), undefined);
  assert.deepEqual(await workers(500), ["sla-1"]);
});

test("status shows the workers of a process that has ended as stopped, without a pid", async () => {
  const restart = { delayMs: 500, jitter: 0 };
  const t = await MemoryTree.up([{ name: "sla", restart, workers: { count: 1, commands: {} } }]);
  const shown = async () => {
    const { modules: [sla] } = await t.ends(t.core.status());
    return [
      sla?.state,
      ...sla?.workers.map(({ name, state, pid, uptimeMs }) => ({ name, state, pid, uptimeMs })) ?? [],
    ];
  };
  await t.rest(100);
  const worker = { name: "sla-1", state: "ready", pid: t.process("sla-1").pid, uptimeMs: 100 };
  const ended = { name: "sla-1", state: "stopped", pid: null, uptimeMs: 0 };
  assert.deepEqual(await shown(), ["ready", worker]);
  for (let crash = 1; crash <= 2; crash++) {
    t.process("sla").exit(1);
    await t.rest(10);
  }
  assert.deepEqual(await shown(), ["backoff", ended]);
  await t.rest(500);
  assert.equal((await shown())[0], "ready");
  await t.ends(t.core.stop());
  assert.deepEqual(await shown(), ["stopped", ended]);
});

test("a process that ends waits 1 s for its last bytes to leave", async () => {
  const t = await MemoryTree.up([{ name: "sla" }]);
  const sla = t.process("sla");
  let hasEnded = false;
  void sla.exited.then(() => hasEnded = true);
  sla.parent?.stick();
  const stopped = t.core.stop();
  await t.rest(999);
  assert.equal(hasEnded, false);
  await t.rest(1);
  await t.rest();
  assert.equal(hasEnded, true);
  await t.ends(stopped);
});
