import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { Link } from "../../../src/core/wire/link.ts";
import { FrameReporter } from "../../../src/core/log/reporter.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import type { ModuleDefinition } from "../../../src/core/module/definition.ts";
import { ModuleHost } from "../../../src/core/child/module_host.ts";
import type { Role } from "../../../src/core/child/role.ts";
import type { ProgramProcess, SpawnProgramOptions } from "../../../src/runtime/runtime.ts";
import { supervisionPlan } from "../../../src/core/settings/settings.ts";
import { settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";
import { SpawningRuntime } from "./fake_process.ts";

const LIMIT = 16 * 1024 * 1024;

interface Surroundings {
  readonly runtime?: SpawningRuntime;
  readonly load?: Role["load"];
}

/** The start of module sla in its own process, whose workers are admitted when the test says so. */
function starting(definition: Omit<ModuleDefinition, "name">, surroundings: Surroundings = {}) {
  const { runtime = new SpawningRuntime(), load = null } = surroundings;
  const events = { frame: () => {}, refused: () => {}, drained: () => {}, closed: () => {} };
  const link = new Link(MemoryChannel.pair()[0], runtime.clock, { frameLimit: LIMIT, events });
  const waiting: (() => void)[] = [];
  const process = new ModuleHost({
    runtime,
    role: {
      broker: "b",
      module: "sla",
      worker: null,
      process: "sla",
      depth: 1,
      channel: "",
      load,
      given: null,
      tree: null,
      descendants: "kill",
    },
    program: undefined,
    reporter: new FrameReporter(runtime, link, { broker: "b", product: "Shinken", aligned: false }),
    setup: {
      wanted: [],
      frameLimit: LIMIT,
      cleanupMs: 5_000,
      timeoutMs: 1_000,
      retry: "once",
      options: null,
      supervision: supervisionPlan({}),
      concurrency: null,
      queue: null,
      output: { maxLinesPerSecond: 500, maxLineBytes: 8_192 },
      names: ["b", "sla"],
    },
    send(message) {
      if (message.kind === "start-wanted") waiting.push(() => process.workers?.admitted(message.start));
    },
    parent: () => Promise.reject(new Error("nobody is called")),
  });
  const module = defineModule({ name: "sla", ...definition });
  let outcome = "starting";
  process.start(module, [module]).then(
    () => outcome = "started",
    (error: Error) => outcome = error.message + error.stack,
  );
  return { process, runtime, waiting, outcome: () => outcome };
}

test("a module whose start hook takes longer than startTimeoutMs has failed, and no timer stays", async () => {
  const s = starting({ start: () => new Promise(() => {}) });
  await s.runtime.clock.advance(9_999);
  assert.equal(s.outcome(), "starting");
  await s.runtime.clock.advance(1);
  assert.equal(s.outcome(), "it did not end in 10s");
  assert.equal(s.runtime.clock.timers, 0);
});

test("the time in which a module's process had no processor does not count for its start hook", async () => {
  const s = starting({ start: () => new Promise(() => {}) });
  s.runtime.waited = 4_000;
  await s.runtime.clock.advance(13_999);
  assert.equal(s.outcome(), "starting");
  await s.runtime.clock.advance(1);
  assert.equal(s.outcome(), "it did not end in 10s");
  assert.equal(s.runtime.clock.timers, 0);
});

test("startTimeoutMs of a module stands still while one of its workers waits for its start, and begins anew then", async () => {
  const s = starting({ workers: { count: 2, commands: {} }, start: () => new Promise(() => {}) });
  while (s.waiting.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  s.waiting[0]?.();
  await settle();
  await s.runtime.spawned[0]?.hello();
  await s.runtime.spawned[0]?.ready();
  await s.runtime.clock.advance(60_000);
  assert.equal(s.outcome(), "starting");
  s.waiting[1]?.();
  await settle();
  await s.runtime.spawned[1]?.hello();
  await s.runtime.spawned[1]?.ready();
  await s.runtime.clock.advance(9_999);
  assert.equal(s.outcome(), "starting");
  await s.runtime.clock.advance(1);
  assert.equal(s.outcome(), "it did not end in 10s");
});

test("a worker that starts while the configuration changes gets the targets of the new one with its hello", async () => {
  const s = starting({ workers: { count: 1, commands: {} } });
  while (s.waiting.length < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  s.waiting[0]?.();
  await settle();
  s.process.follow({ timeoutMs: 2_000, retry: "never", names: ["b", "sla", "new"] });
  const [worker] = s.runtime.spawned;
  await worker?.hello();
  const hello = worker?.received.find(({ type }) => type === FrameType.hello);
  const { timeoutMs, retry, names } = JSON.parse(hello?.text ?? "{}").setup;
  assert.deepEqual([timeoutMs, retry, names], [2_000, "never", ["b", "sla", "new"]]);
});

test("a worker whose starting folder is gone starts in that of its module's file", async () => {
  const folders: unknown[] = [];
  class Undeployed extends SpawningRuntime {
    override isFolder = (path: string) => path === "/config";
    override programFolder = (program?: string) => program === "file:///config/sla.ts" ? "/config" : null;

    override spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
      folders.push(options.cwd);
      return super.spawnProgram(options);
    }
  }
  const surroundings: Surroundings = { runtime: new Undeployed(), load: [["sla", "file:///config/sla.ts"]] };
  const s = starting({ workers: { count: 1, commands: {} } }, surroundings);
  while (s.waiting.length < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  s.waiting[0]?.();
  await settle();
  assert.deepEqual(folders, ["/config"]);
});
