// timeoutMs and retry of a module and of its commands: they hold for a call without options, wherever it comes from.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError } from "../../../src/core/faults.ts";
import type { ModuleContext, ModuleDefinition } from "../../../src/core/module/definition.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { defineProgram, type ProgramDefinition } from "../../../src/core/module/program.ts";
import type { ModuleSettings } from "../../../src/core/settings/settings.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import type { FakeProcess } from "../child/fake_process.ts";
import { settle } from "../manual_clock.ts";
import { FakeBroker } from "./fake_broker.ts";
import { MemoryTree, type MemoryTreeOptions } from "./memory_tree.ts";

const never = () => new Promise<never>(() => {});

/** How a call that is never answered ends: milliseconds of an attempt, and how many there were. */
type Ends = readonly [timeoutMs: number, attempts: number] | string;

async function endOf(call: Promise<unknown>): Promise<Ends> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallTimeoutError) return [error.timeoutMs, error.attempts];
  }
  return "no timeout";
}

/** What `call` comes to when enough time has passed for it. */
async function timedOut(t: MemoryTree, call: Promise<unknown>): Promise<unknown> {
  let outcome: unknown = "still waits";
  call.then((value) => outcome = value, (error) => outcome = error);
  for (let step = 0; step < 40 && outcome === "still waits"; step++) await t.rest(5_000);
  return outcome;
}

/** Module sla with settings, and Livestatus, which calls it from its own process and from a worker. */
async function tree(definition: Partial<ModuleDefinition>, options: MemoryTreeOptions = {}): Promise<MemoryTree> {
  const sla = defineModule({ name: "sla", commands: { report: never, ping: never }, ...definition });
  const call = (ctx: ModuleContext) => (command: string) => endOf(ctx.call("sla", command));
  const livestatus = defineModule({
    name: "Livestatus",
    workers: { count: 1, commands: (ctx) => ({ from_worker: call(ctx) }) },
    commands: (ctx) => ({
      from_module: call(ctx),
      from_worker: (command: string) => ctx.workers.call("from_worker", [command], { timeoutMs: 300_000 }),
    }),
  });
  return await MemoryTree.up([livestatus, sla], options);
}

/** How a call of `command` without options ends, from each place that calls come from. */
async function fromEverywhere(t: MemoryTree, command: string): Promise<Readonly<Record<string, unknown>>> {
  const client = await t.client();
  const within = { timeoutMs: 400_000 };
  return {
    broker: await timedOut(t, endOf(t.core.call("sla", command))),
    module: await timedOut(t, t.core.call("Livestatus", "from_module", [command], within)),
    worker: await timedOut(t, t.core.call("Livestatus", "from_worker", [command], within)),
    "command line": await timedOut(t, endOf(client.call("sla", command, [], {}))),
  };
}

function all(ends: Ends): Readonly<Record<string, unknown>> {
  return { broker: ends, module: ends, worker: ends, "command line": ends };
}

test("timeoutMs and retry of a module hold for its calls from broker, module, worker and command line", async () => {
  const t = await tree({ timeoutMs: 3_000, retry: "never" });
  assert.deepEqual(await fromEverywhere(t, "report"), all([3_000, 1]));
});

test("what calls says of a command holds over the module, and the rest of the module for that command too", async () => {
  const t = await tree({ timeoutMs: 3_000, retry: "never", calls: { report: { timeoutMs: 7_000 } } });
  assert.deepEqual(await fromEverywhere(t, "report"), all([7_000, 1]));
  assert.deepEqual(await timedOut(t, endOf(t.core.call("sla", "ping"))), [3_000, 1]);
});

test("the module's settings hold over call of the broker, and call over 1 s and one retry", async () => {
  const call = { timeoutMs: 2_000, retry: "never" } as const;
  const t = await tree({ calls: { report: { retry: "once" } } }, { call });
  assert.deepEqual(await fromEverywhere(t, "report"), all([2_000, 2]));
  assert.deepEqual(await timedOut(t, endOf(t.core.call("sla", "ping"))), [2_000, 1]);
  assert.deepEqual(await fromEverywhere(await tree({}), "ping"), all([1_000, 2]));
});

test("the options of a call hold over all settings, and settings of Broker.start over those of the module", async () => {
  const settings = { sla: { calls: { report: { timeoutMs: 9_000 } } } };
  const t = await tree({ timeoutMs: 3_000, calls: { report: { retry: "never" } } }, { settings });
  assert.deepEqual(await timedOut(t, endOf(t.core.call("sla", "report"))), [9_000, 2]);
  const options = { timeoutMs: 500, retry: "never" } as const;
  assert.deepEqual(await timedOut(t, endOf(t.core.call("sla", "report", [], options))), [500, 1]);
});

test("a module's settings hold for the calls of its own workers", async () => {
  const shop = defineModule({
    name: "shop",
    calls: { price: { timeoutMs: 4_000, retry: "never" } },
    workers: { count: 1, commands: { price: never } },
    commands: (ctx) => ({ price: () => endOf(ctx.workers.call("price")) }),
  });
  const t = await MemoryTree.up([shop]);
  assert.deepEqual(await timedOut(t, t.core.call("shop", "price", [], { timeoutMs: 60_000 })), [4_000, 1]);
});

const SERVER = { name: "server", command: ["server"] };
/** Answers `initialize`, and nothing else. */
const programs = {
  server: ({ method }: { readonly method: string }) => method === "initialize" ? { result: {} } : undefined,
};

for (
  const [definition, call, ends] of [
    [{}, undefined, [1_000, 1]],
    [{ protocol: "mcp" }, undefined, [60_000, 1]],
    [{ protocol: "mcp" }, { timeoutMs: 5_000, retry: "once" }, [5_000, 1]],
    [{ protocol: "mcp", timeoutMs: 8_000 }, { timeoutMs: 5_000 }, [8_000, 1]],
    [{ protocol: "mcp", calls: { "tools/call": { timeoutMs: 90_000, retry: "once" } } }, undefined, [90_000, 2]],
  ] satisfies [Partial<ProgramDefinition>, MemoryTreeOptions["call"], Ends][]
) {
  test(`a program with ${JSON.stringify({ ...definition, call })} gets ${ends[0]} ms and ${ends[1]} attempts`, async () => {
    const caller = defineModule({
      name: "caller",
      commands: (ctx) => ({ call: () => endOf(ctx.call("server", "tools/call")) }),
    });
    const t = await MemoryTree.up([defineProgram({ ...SERVER, ...definition }), caller], {
      programs,
      ...(call === undefined ? {} : { call }),
    });
    assert.deepEqual(await timedOut(t, endOf(t.core.call("server", "tools/call"))), ends);
    assert.deepEqual(await timedOut(t, t.core.call("caller", "call", [], { timeoutMs: 400_000 })), ends);
  });
}

/** The notices of one kind that a process got. */
function notices(life: FakeProcess, kind: string): unknown[] {
  return life.received.map(({ text }) => text).filter((text) => text.startsWith(`{"kind":"${kind}"`)).map((text) =>
    JSON.parse(text)
  );
}

test("a changed configuration reaches the modules that it leaves as they are", async () => {
  const settings: Record<string, ModuleSettings> = { a: {}, b: {} };
  const t = new FakeBroker(settings);
  void t.core.start();
  await settle();
  await t.up("a", "b");
  const followed = t.follow({ ...settings, b: { timeoutMs: 5_000 }, c: {} });
  await settle();
  const names = ["broker-master", "a", "b", "c"];
  const targets = { timeoutMs: 1_000, retry: "once", names, calls: { b: { timeoutMs: 5_000 } } };
  assert.deepEqual(notices(t.life("a"), "targets"), [{ kind: "targets", targets }]);
  await t.up("b", "c");
  await t.lives("b")[0]?.exit({ code: 0, signal: null });
  await followed;
  assert.equal(t.lives("a").length, 1);
});

test("a changed configuration reaches a module that starts: with the hello, and from then on as a message", async () => {
  const settings: Record<string, ModuleSettings> = { a: {}, b: {} };
  const t = new FakeBroker(settings);
  void t.core.start();
  await settle();
  void t.follow({ ...settings, c: {} });
  await settle();
  await t.life("a").hello();
  const hello = t.life("a").received.find(({ type }) => type === FrameType.hello);
  assert.deepEqual(JSON.parse(hello?.text ?? "{}").setup.names, ["broker-master", "a", "b", "c"]);
  void t.follow({ ...settings, c: {}, d: {} });
  await settle();
  assert.deepEqual(namesSent(t.life("a")).at(-1), ["broker-master", "a", "b", "c", "d"]);
});

test("a changed configuration reaches a process that is to replace another one, and the one that it replaces", async () => {
  const settings: Record<string, ModuleSettings> = { a: {} };
  const t = new FakeBroker(settings);
  void t.core.start();
  await settle();
  await t.up("a");
  void t.core.reload("a");
  await settle();
  await t.life("a").hello();
  void t.follow({ ...settings, b: {} });
  await settle();
  const [old, successor] = t.lives("a");
  assert.deepEqual(old && namesSent(old), [["broker-master", "a", "b"]]);
  assert.deepEqual(successor && namesSent(successor), [["broker-master", "a", "b"]]);
  await t.life("a").ready();
  void t.follow({ ...settings, b: {}, c: {} });
  await settle();
  for (const life of t.lives("a")) assert.deepEqual(namesSent(life).at(-1), ["broker-master", "a", "b", "c"]);
});

/** The names that a process may call, as it got them after its hello. */
function namesSent(life: FakeProcess): unknown[] {
  return life.received.map(({ text }) => text).filter((text) => text.startsWith('{"kind":"targets"'))
    .map((text) => JSON.parse(text).targets.names);
}

for (
  const [what, definition, message] of [
    [
      "a command that it has not",
      { calls: { reprot: {} } },
      'Module "sla": calls: unknown command "reprot": did you mean "report"',
    ],
    ["no object", { calls: [] }, 'Module "sla": calls must be an object of commands by name, and it is a list'],
    ["a number", { calls: { report: 5 } }, 'Module "sla": calls.report must be an object, and it is 5'],
    [
      "a misspelt key",
      { calls: { report: { timeout: 5 } } },
      'Module "sla": calls.report: unknown key "timeout": did you mean "timeoutMs"',
    ],
    [
      "a wrong time",
      { calls: { report: { timeoutMs: 0 } } },
      'Module "sla": calls.report.timeoutMs must be a number above 0, and it is 0',
    ],
    ["a wrong retry", { retry: "twice" }, 'Module "sla": retry must be "once" or "never", and it is "twice"'],
  ] satisfies [string, object, string][]
) {
  test(`defineModule() refuses calls of ${what}`, () => {
    const commands = { report: never };
    const made: object = { name: "sla", commands, ...definition };
    assert.throws(() => defineModule(made as ModuleDefinition), { name: "TypeError", message });
  });
}

test("settings of Broker.start with a command that the module has not are refused with the nearest", () => {
  const sla = defineModule({ name: "sla", commands: { report: never } });
  assert.throws(() => new MemoryTree([sla], { settings: { sla: { calls: { reprot: {} } } } }), {
    message: 'Option settings: module "sla": calls: unknown command "reprot": did you mean "report"',
  });
});
