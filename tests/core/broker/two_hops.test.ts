// A worker's call goes on through its module and the broker; a person's through the control socket and the broker.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerError } from "../../../src/core/faults.ts";
import type { ModuleContext } from "../../../src/core/module/definition.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { defineProgram } from "../../../src/core/module/program.ts";
import { type Answers, MemoryTree, type Request } from "./memory_tree.ts";

const prices = defineProgram({ name: "prices", command: ["prices"] });

const UNKNOWN_COMMAND = {
  name: "UnknownCommandError",
  code: "UNKNOWN_COMMAND",
  message: 'Cannot call command "get_reports" of module "sla": unknown command, did you mean "get_report"',
  reason: "unknown command",
  command: "get_reports",
  nearest: "get_report",
};
const UNKNOWN_MODULE = {
  name: "UnknownModuleError",
  code: "UNKNOWN_MODULE",
  message: 'Cannot call command "get_report" of module "sle": unknown module, did you mean "sla"',
  reason: "unknown module",
  target: "sle",
  nearest: "sla",
};

interface Hops extends MemoryTree {
  /** What the program was asked. */
  readonly requests: readonly Request[];
  /** How often a command of sla saw that its call was cancelled. */
  cancelled: number;
  /** What the worker's work comes to. */
  work(): Promise<unknown>;
}

/** A broker with a worker that does `work`, module sla, and program prices, which gives `answers`. */
async function hops(work: (ctx: ModuleContext) => unknown, answers: Answers = () => undefined): Promise<Hops> {
  const requests: Request[] = [];
  const livestatus = defineModule({
    name: "Livestatus",
    workers: { count: 1, commands: (ctx) => ({ work: () => work(ctx) }) },
    commands: (ctx) => ({
      work: () => ctx.workers.call("work", [], { timeoutMs: 300_000 }),
      ask: () => ctx.call("sla", "who_called"),
    }),
  });
  const sla = defineModule({
    name: "sla",
    commands: {
      get_report: (month: string) => ({ month }),
      who_called: function (): string {
        return this.caller;
      },
      crash: (): never => {
        throw new TypeError("no");
      },
      later: (ms: number): Promise<string> => {
        return new Promise((resolve) => t.runtime.clock.timer(ms, () => resolve("later")));
      },
      numbers: async function* (): AsyncGenerator<number> {
        yield await Promise.resolve(1);
      },
      steps: function (count: number): string {
        for (let step = 1; step <= count; step++) this.progress({ step });
        return "done";
      },
      until_cancelled: function (): Promise<number> {
        return new Promise((resolve) => this.signal.addEventListener("abort", () => resolve(t.cancelled++)));
      },
    },
  });
  const program: Answers = (request) => {
    requests.push(request);
    return answers(request);
  };
  const up = await MemoryTree.up([livestatus, sla, prices], { programs: { prices: program } });
  up.records.length = 0;
  const t: Hops = Object.assign(up, {
    requests,
    cancelled: 0,
    work: () => {
      const worked = up.core.call("Livestatus", "work", [], { timeoutMs: 300_000 });
      worked.catch(() => {});
      return worked;
    },
  });
  return t;
}

/** The facts of what a call is rejected with. */
async function factsOf(call: Promise<unknown>): Promise<Facts> {
  try {
    return { resolvedWith: await call };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    const { stack: _, name, message, ...facts } = error;
    return { name, message, ...facts };
  }
}

test("a worker's call of a program is one request with its params, and the answer comes back", async () => {
  const t = await hops((ctx) => ctx.call("prices", "price", ["apple", { currency: "EUR" }]), () => ({ result: 0.3 }));
  assert.equal(await t.ends(t.work()), 0.3);
  assert.deepEqual(t.requests, [{ jsonrpc: "2.0", id: 1, method: "price", params: ["apple", { currency: "EUR" }] }]);
  assert.deepEqual(t.lines(/^call\.(error|retry|timeout)|^command\.(error|unknown)/), []);
});

test("a program's error reaches the worker with its data, and is logged by the worker alone", async () => {
  const error = { code: -32_000, message: "no such fruit", data: { fruit: "stone", nearest: ["plum"] } };
  const t = await hops((ctx) => factsOf(ctx.call("prices", "price", ["stone"])), () => ({ error }));
  assert.deepEqual(await t.ends(t.work()), {
    name: "RemoteError",
    code: "REMOTE",
    message: "no such fruit",
    reason: "no such fruit",
    remoteName: "JsonRpcError",
    remoteStack: "",
    data: { code: -32_000, data: { fruit: "stone", nearest: ["plum"] } },
    errors: [],
    expected: false,
  });
  assert.deepEqual(t.lines(/^(call|command)\.(error|unknown)/), [
    "ERROR : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] JsonRpcError: no such fruit",
    "ERROR : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] " +
    "Failed to send command call [price] for module prices because of error: no such fruit",
  ]);
});

test("a worker learns the nearest command of another module, the nearest module, and a program's own words", async () => {
  const t = await hops(async (ctx) => [
    await factsOf(ctx.call("sla", "get_reports")),
    await factsOf(ctx.call("sle", "get_report")),
    await factsOf(ctx.call("prices", "price")),
  ], () => ({ error: { code: -32_601, message: "Method not found" } }));
  const [command, module, method] = factsIn(await t.ends(t.work()));
  assert.deepEqual(command, UNKNOWN_COMMAND);
  assert.deepEqual(module, UNKNOWN_MODULE);
  assert.deepEqual([method?.["message"], method?.["data"]], ["Method not found", { code: -32_601 }]);
  assert.deepEqual(t.lines(/^(call|command)\.(error|unknown)/), [
    "WARNING : [ sla ] [ COMMAND CALL ] [ MainThread ] Received unknown command [get_reports] to execute !",
    "ERROR : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] " +
    "Failed to send command call [get_reports] for module sla because of error: unknown command",
    "ERROR : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] JsonRpcError: Method not found",
    "ERROR : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] " +
    "Failed to send command call [price] for module prices because of error: Method not found",
  ]);
});

test("a worker's call that a program never answers is one request, and the worker alone retries, tells and gives up", async () => {
  const t = await hops((ctx) => factsOf(ctx.call("prices", "price", [], { retry: "once" })));
  const worked = t.work();
  await t.rest(10_000);
  assert.deepEqual(await t.ends(worked), {
    name: "CallTimeoutError",
    code: "TIMEOUT",
    message: 'Cannot call command "price" of module "prices": timeout (1s): module "prices" is blocked, 2 attempts',
    reason: "timeout (1s)",
    timeoutMs: 1_000,
    attempts: 2,
    sent: true,
    peer: "blocked",
    detail: undefined,
  });
  assert.deepEqual(t.requests.map(({ method, params }) => [method, params]), [
    ["price", undefined],
    ["$/cancelRequest", { id: 1 }],
  ]);
  assert.deepEqual(t.lines(/^call\.(retry|timeout|error)|^answer\./), [
    "WARNING : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] " +
    "The command call [price] for module prices was sent but the call timed out (1s). We will retry one time.",
    "ERROR : [ Livestatus-1 ] [ COMMAND CALL ] [ MainThread ] " +
    "Failed to send command call [price] for module prices because of timeout (1s).",
  ]);
});

test("a call that goes through two processes says of the last one whether it is blocked, and when it was last heard of", async () => {
  const t = await hops((ctx) => factsOf(ctx.call("sla", "later", [60_000])));
  const { parent } = t.process("sla");
  parent?.block();
  const blocked = t.work();
  await t.rest(2_000);
  const { message, peer } = Object(await t.ends(blocked));
  assert.deepEqual([peer, message], [
    "blocked",
    'Cannot call command "later" of module "sla": timeout (1s): module "sla" is blocked, 2 attempts',
  ]);
  const head = "DEBUG : [ Livestatus-1 ] [ HEARTBEAT ] [ MainThread ] sla did not answer attempt";
  assert.deepEqual(t.lines(/^call\.silence/), [
    `${head} 1 of [later] in time: it is blocked (gives no sign of life; last heard of 1.000s ago)`,
    `${head} 2 of [later] in time: it is blocked (gives no sign of life; last heard of 2.000s ago)`,
  ]);
  parent?.unblock();
  const slow = t.work();
  await t.rest(2_000);
  assert.equal(Object(await t.ends(slow)).peer, "slow");
});

test("a call that goes through two processes is no longer of a blocked one once that sends again", async () => {
  const t = await hops((ctx) => factsOf(ctx.call("sla", "later", [60_000])));
  const { parent } = t.process("sla");
  parent?.block();
  const work = t.work();
  await t.rest(1_100);
  parent?.unblock();
  await t.rest(900);
  assert.equal(Object(await t.ends(work)).peer, "slow");
  assert.match(t.lines(/^call\.silence/)[0] ?? "", /it is blocked/);
});

test("a stream that goes through two processes says of the last one that it is blocked", async () => {
  const t = await hops((ctx) => ctx.stream("sla", "numbers").next());
  t.process("sla").parent?.block();
  const work = t.work();
  work.catch(() => {});
  await t.rest(2_000);
  await assert.rejects(t.ends(work), /module "sla" is blocked/);
});

test("a worker's call with a long timeout is as patient on both hops", async () => {
  const t = await hops((ctx) => ctx.call("sla", "later", [60_000], { timeoutMs: 50_000 }));
  const worked = t.work();
  await t.rest(59_999);
  assert.deepEqual(t.lines(/^call\.(timeout|error)/), []);
  await t.rest(1);
  assert.equal(await t.ends(worked), "later");
});

test("a call that is passed on makes no AbortSignal on its way, and reaches the next command as its caller's", async () => {
  const t = await hops(async (ctx) => {
    const answers = [await ctx.call("sla", "who_called"), await ctx.call("sla", "who_called")];
    return [...answers, (await factsOf(ctx.call("sla", "crash")))["remoteName"]];
  });
  const Original = AbortController;
  let made = 0;
  class Counted extends Original {
    constructor() {
      super();
      made++;
    }
  }
  Reflect.set(globalThis, "AbortController", Counted);
  try {
    assert.deepEqual(await t.ends(t.work()), ["Livestatus-1", "Livestatus-1", "TypeError"]);
  } finally {
    Reflect.set(globalThis, "AbortController", Original);
  }
  assert.equal(made, 0);
});

test("a worker's notification reaches a program without an id, and is refused for a module", async () => {
  const t = await hops(async (ctx) => {
    await ctx.notify("prices", "changed", [{ at: 1 }]);
    return await factsOf(ctx.notify("sla", "get_report", []));
  });
  const { remoteName, message } = factsIn([await t.ends(t.work())])[0] ?? {};
  assert.equal(remoteName, "TypeError");
  assert.equal(
    message,
    'Cannot notify module "sla" of "get_report": only programs of defineProgram take notifications',
  );
  assert.deepEqual(t.requests, [{ jsonrpc: "2.0", method: "changed", params: { at: 1 } }]);
});

test("a command is told who called it over two hops, and the broker's own call", async () => {
  const t = await hops((ctx) => ctx.call("sla", "who_called"));
  assert.equal(await t.ends(t.work()), "Livestatus-1");
  assert.equal(await t.ends(t.core.call("sla", "who_called")), "broker-master");
  const both = [t.core.call("Livestatus", "ask"), t.work(), t.core.call("Livestatus", "ask")];
  assert.deepEqual(await t.ends(Promise.all(both)), ["Livestatus", "Livestatus-1", "Livestatus"]);
});

test("every event of a process has its pid, and the thread in which it was reported or that its call was given", async () => {
  const t = await hops(async (ctx) => {
    ctx.log.info("busy");
    await factsOf(ctx.call("sla", "crash"));
    await factsOf(ctx.call("sla", "crash", [], { thread: "named" }));
    await factsOf(ctx.call("sla", "nothing"));
  });
  const runtimes = [t.runtime, ...["Livestatus", "Livestatus-1", "sla"].map((name) => t.process(name))];
  const [broker, module, worker, sla] = runtimes.map(({ pid }) => pid);
  for (const runtime of runtimes) runtime.threadName = `of ${runtime.pid}`;
  await t.ends(t.work());
  assert.deepEqual(t.records.map(({ event, pid, thread }) => [event, pid, thread]), [
    ["command.executing", module, "MainThread"],
    ["command.executing", worker, "MainThread"],
    ["module.info", worker, `of ${worker}`],
    ["command.executing", sla, "MainThread"],
    ["command.error", sla, `of ${sla}`],
    ["call.error", worker, `of ${worker}`],
    ["command.executing", sla, "MainThread"],
    ["command.error", sla, `of ${sla}`],
    ["call.error", worker, "named"],
    ["command.unknown", sla, `of ${sla}`],
    ["call.error", worker, `of ${worker}`],
    ["call.answered", module, `of ${module}`],
    ["call.answered", broker, `of ${broker}`],
  ]);
  for (const record of t.records) {
    for (const line of record.lines()) assert.ok(line.includes(`[ PID:${record.pid} ] [ ${record.thread} ] `), line);
  }
});

test("progress and cancelling cross both hops between a worker and another module", async () => {
  const parts: unknown[] = [];
  const stop = new AbortController();
  const t = await hops(async (ctx) => {
    parts.push(await ctx.call("sla", "steps", [2], { onProgress: (part) => void parts.push(part) }));
    return await factsOf(ctx.call("sla", "until_cancelled", [], { signal: stop.signal }));
  });
  const worked = t.work();
  await t.rest();
  await t.rest();
  stop.abort();
  const { code, acknowledged } = factsIn([await t.ends(worked)])[0] ?? {};
  assert.deepEqual([code, acknowledged], ["CANCELLED", true]);
  assert.deepEqual(parts, [{ step: 1 }, { step: 2 }, "done"]);
  assert.equal(t.cancelled, 1);
});

test("a call by hand gets a program's error with its data, and the nearest of an unknown command and module", async () => {
  const data = { fruit: "stone" };
  const t = await hops(() => {}, () => ({ error: { code: 7, message: "no such fruit", data } }));
  const client = await t.client();
  const [error, command, module] = await t.ends(Promise.all([
    factsOf(client.call("prices", "price", ["stone"], {})),
    factsOf(client.call("sla", "get_reports", [], {})),
    factsOf(client.call("sle", "get_report", [], {})),
  ]));
  assert.deepEqual([error?.["message"], error?.["data"]], ["no such fruit", { code: 7, data }]);
  assert.deepEqual([command, module], [UNKNOWN_COMMAND, UNKNOWN_MODULE]);
});

test("a call by hand, and a stream, are given up after the timeout that was asked for, and are no line of the client", async () => {
  const t = await hops(() => {});
  const client = await t.client();
  const called = factsOf(client.call("prices", "price", [], { timeoutMs: 200 }));
  const streamed = factsOf(client.stream("sla", "until_cancelled", [], { timeoutMs: 200 }).next());
  await t.rest(1_000);
  const [call, stream] = await t.ends(Promise.all([called, streamed]));
  assert.deepEqual([call?.["reason"], call?.["attempts"]], ["timeout (0.2s)", 1]);
  assert.deepEqual([stream?.["reason"], stream?.["attempts"]], ["timeout (0.2s)", 2]);
});

test("a call by hand carries parameters of 1 MiB, and a byte more is refused before it is sent", async () => {
  const t = await hops(() => {});
  const client = await t.client();
  const MIB = 1024 * 1024;
  // Most of a frame is its own; what is around the parameters counts too.
  const asked = async (length: number) => {
    return await t.ends(factsOf(client.call("sla", "get_report", ["x".repeat(length)], {})));
  };
  const { bytes, limit, code } = await asked(MIB);
  assert.deepEqual([code, limit], ["PAYLOAD", MIB - 4_096]);
  const most = MIB - (Number(bytes) - Number(limit));
  const { resolvedWith } = await asked(most);
  assert.deepEqual(resolvedWith, { value: { month: "x".repeat(most) }, attempts: 1, ms: 0 });
  assert.deepEqual((await asked(most + 1))["bytes"], MIB - 4_096 + 1);
});

test("a call by hand is told how long it took", async () => {
  const t = await hops(() => {});
  const client = await t.client();
  const called = client.call("sla", "later", [1_234], { timeoutMs: 60_000 });
  await t.rest(1_234);
  assert.deepEqual(await t.ends(called), { value: "later", attempts: 1, ms: 1_234 });
});

test("status tells how long the broker and each process are up, and the broker's lines how long it took", async () => {
  const wait = (ms: number) => new Promise<void>((resolve) => t.runtime.clock.timer(ms, resolve));
  const slow = defineModule({ name: "slow", start: () => wait(2_500), stop: () => wait(700) });
  const t = new MemoryTree([slow, { name: "sla" }]);
  const started = t.core.start();
  await t.rest();
  await t.rest(2_500);
  await t.ends(started);
  await t.rest(500);
  const { broker, modules } = await t.ends(t.core.status());
  assert.deepEqual([broker.uptimeMs, ...modules.map(({ uptimeMs }) => uptimeMs)], [3_000, 500, 3_000]);
  const [ready] = t.lines(/^broker\.ready/);
  assert.equal(
    ready,
    "INFO : [ broker-master ] [ BROKER ] [ MainThread ] The broker is ready after 2.500s (modules: 2, failed: 0)",
  );
  const stopped = t.core.stop();
  await t.rest(700);
  await t.ends(stopped);
  assert.deepEqual(t.lines(/^broker\.stopped/), [
    "INFO : [ broker-master ] [ BROKER ] [ MainThread ] The broker stopped in 0.700s",
  ]);
});

type Facts = Readonly<Record<string, unknown>>;

function factsIn(values: unknown): Facts[] {
  const list: unknown[] = Array.isArray(values) ? values : [];
  return list.map((value) => typeof value === "object" && value !== null ? { ...value } : {});
}
