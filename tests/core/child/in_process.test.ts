// Brokers whose modules are served in the process of the broker, by what serves processes.
import { Broker, type BrokerOptions, defineModule, defineProgram, type LogRecord, withThread } from "brokkr";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";

/** What the modules' own code did. */
const done: string[] = [];
const owned = { isOpen: true, close: () => void (owned.isOpen = false) };

const sla = defineModule({
  name: "sla",
  owns: [owned],
  commands: {
    change(report: { values: number[] }) {
      report.values.push(2);
      return report;
    },
    crash: (): never => {
      throw new TypeError("no disk");
    },
    function_back: () => () => {},
    later: (ms: number) => new Promise<string>((resolve) => setTimeout(resolve, ms, "later")),
    steps(count: number) {
      for (let step = 1; step <= count; step++) this.progress(step);
      return "done";
    },
    *count(to: number) {
      for (let n = 1; n <= to; n++) yield n;
    },
    wait() {
      return new Promise<void>((_, reject) => {
        this.signal.addEventListener("abort", () => {
          done.push("the wait was aborted");
          reject(new Error("aborted"));
        });
      });
    },
  },
  afterForkCleanup: () => void done.push("sla was cleaned"),
  start: () => void done.push("sla started"),
  stop: () => void done.push("sla stopped"),
});

const livestatus = defineModule({
  name: "Livestatus",
  workers: { count: 2, commands: (ctx) => ({ who: () => `${ctx.module}-${ctx.role.worker}` }) },
  commands: (ctx) => ({
    workers: async () => [await ctx.workers.call("who"), await ctx.workers.call("who")].sort(),
    forward: (values: number[]) => ctx.call("sla", "change", [{ values }]),
  }),
  stop: () => void done.push("Livestatus stopped"),
});

interface Started extends AsyncDisposable {
  readonly broker: Broker;
  readonly records: LogRecord[];
  lines(ids: RegExp): string[];
}

async function start(options: Partial<BrokerOptions> = {}): Promise<Started> {
  done.length = 0;
  const records: LogRecord[] = [];
  const broker = await Broker.start({
    name: "b",
    modules: [livestatus, sla],
    logLevel: "debug",
    log: (record) => void records.push(record),
    inProcess: true,
    ...options,
  });
  return {
    broker,
    records,
    lines: (ids) =>
      records.filter(({ event }) => ids.test(event)).flatMap((record) => record.lines())
        .map((line) =>
          line.replace(/^\[[^\]]*\] /, "").replace(/ \d+\.\d+s/g, " TIME").replaceAll(String(process.pid), "1")
        ),
    [Symbol.asyncDispose]: () => broker.stop(),
  };
}

/** Pids of the processes that this one has started and that run. */
function children(): string[] {
  const own = readdirSync("/proc/self/task").map((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8"));
  return own.join(" ").split(" ").filter((pid) => pid !== "");
}

async function failure(call: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  const error: unknown = await call.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof Error);
  return error;
}

const LINUX = process.platform !== "linux" && "there is no /proc";

test("a call of what names no module or command is refused, from the broker and from a module, and nothing is logged", async () => {
  const wrong: unknown[] = [5, null, undefined, Symbol("sla"), ["sla"], { name: 5 }];
  const callOf = (call: unknown, args: readonly unknown[]): Promise<unknown> =>
    typeof call === "function" ? call(...args) : Promise.reject(new Error("no function"));
  const asker = defineModule({
    name: "asker",
    commands: (ctx) => ({
      refused: () =>
        Promise.all(wrong.map(async (target) => String(await failure(callOf(ctx.call, [target, "steps"]))))),
      command: async () => String(await failure(callOf(ctx.call, ["sla", 5]))),
    }),
  });
  await using t = await start({ modules: [sla, asker] });
  const because = ["5", "null", "undefined", "Symbol(sla)", "a list", "an object"].map((what) =>
    `TypeError: Cannot find a module: it must be a module or its name, and it is ${what}`
  );
  const call: unknown = t.broker.call.bind(t.broker);
  const fromBroker = wrong.map(async (target) => String(await failure(callOf(call, [target, "steps"]))));
  assert.deepEqual(await Promise.all(fromBroker), because);
  assert.deepEqual(await t.broker.call(asker, "refused"), because);
  const noCommand = 'TypeError: Cannot call module "sla": a command is a text, and it is Symbol(steps)';
  assert.equal(String(await failure(callOf(call, ["sla", Symbol("steps")]))), noCommand);
  assert.equal(await t.broker.call(asker, "command"), noCommand.replace("Symbol(steps)", "5"));
  assert.deepEqual(t.lines(/^call.error/), []);
  assert.equal((await t.broker.status()).modules[0]?.calls.error, 0);
});

test("inProcess: modules and workers have this process' pid, no memory and no cleanup, and nothing is spawned", {
  skip: LINUX,
}, async () => {
  const before = children();
  await using t = await start();
  const { modules } = await t.broker.status();
  assert.deepEqual(children(), before);
  assert.deepEqual(
    modules.flatMap((module) => [module, ...module.workers]).map((
      { name, state, pid, memory, cleanup },
    ) => [name, state, pid === process.pid, memory, cleanup]),
    ["Livestatus", "Livestatus-1", "Livestatus-2", "sla"].map((name) => [name, "ready", true, null, null]),
  );
  assert.deepEqual(t.lines(/^cleanup\./), []);
});

test("inProcess: start and stop hooks run, no cleanup does, and what a module owns stays open", async () => {
  const t = await start();
  assert.deepEqual(done, ["sla started"]);
  await t.broker.stop();
  assert.deepEqual(done.toSorted(), ["Livestatus stopped", "sla started", "sla stopped"]);
  assert.equal(owned.isOpen, true);
});

test("inProcess: parameters and results are copies, also between modules, and what can't be sent is refused", async () => {
  await using t = await start();
  const report = { values: [1] };
  assert.deepEqual(await t.broker.call(sla, "change", [report]), { values: [1, 2] });
  assert.deepEqual(report, { values: [1] });
  assert.deepEqual(await t.broker.call("Livestatus", "forward", [[1]]), { values: [1, 2] });
  const error = await failure(t.broker.call("sla", "function_back"));
  assert.deepEqual([error.code, error.message], [
    "PAYLOAD",
    'Cannot call command "function_back" of module "sla": result is not serializable: result is a function',
  ]);
});

test("inProcess: workers take turns, progress and streams arrive, a cancelled call's signal is aborted", async () => {
  await using t = await start();
  assert.deepEqual(await t.broker.call(livestatus, "workers"), ["Livestatus-1", "Livestatus-2"]);
  const steps: unknown[] = [];
  assert.equal(await t.broker.call("sla", "steps", [3], { onProgress: (step) => void steps.push(step) }), "done");
  assert.deepEqual(steps, [1, 2, 3]);
  let sum = 0;
  for await (const n of t.broker.stream("sla", "count", [3_000])) sum += Number(n);
  assert.equal(sum, 4_501_500);
  const control = new AbortController();
  const waiting = failure(t.broker.call("sla", "wait", [], { signal: control.signal }));
  await t.broker.call("sla", "steps", [0]);
  control.abort();
  assert.equal((await waiting).code, "CANCELLED");
  assert.ok(done.includes("the wait was aborted"));
});

for (const [atOnce, command] of [[1, "steps"], [64, "steps"], [64, "workers"]] as const) {
  test(`inProcess: the program's timers fire while ${atOnce} calls of "${command}" at a time follow each other`, async () => {
    await using t = await start({ logLevel: "error" });
    const target = command === "steps" ? "sla" : "Livestatus";
    let hasFired = false;
    setTimeout(() => hasFired = true, 0);
    for (let round = 0; round < 1000 && !hasFired; round++) {
      await Promise.all(Array.from({ length: atOnce }, () => t.broker.call(target, command, [0])));
    }
    assert.ok(hasFired);
  });
}

test("inProcess: a failed call has its error, its lines and its count as from a process", async () => {
  await using t = await start();
  const error = await withThread("Web-1", () => failure(t.broker.call(sla, "crash")));
  assert.equal(error.message, "no disk");
  assert.deepEqual(
    t.lines(/^(call|command)\.error/).filter((line) => line.includes(" error: ")),
    [
      "ERROR : [ b ] [ sla ] [ COMMAND CALL ] [ PID:1 ] [ MainThread ] Failed to execute received command [crash] with error: no disk",
      "ERROR : [ b ] [ sla ] [ COMMAND CALL ] [ PID:1 ] [ Web-1 ] Failed to send command call [crash] for module sla because of error: no disk",
    ],
  );
  assert.equal((await failure(t.broker.call("sla", "crush"))).code, "UNKNOWN_COMMAND");
  const late = await failure(t.broker.call("sla", "wait", [], { timeoutMs: 20 }));
  assert.deepEqual([late.code, t.lines(/^call\.(retry|timeout)/).length], ["TIMEOUT", 2]);
  const { modules } = await t.broker.status();
  const { ok, error: errors, timeout } = modules.find(({ name }) => name === "sla")?.calls ?? {};
  assert.deepEqual([ok, errors, timeout], [0, 2, 1]);
});

test("inProcess: the limits of a module hold", async () => {
  await using t = await start({ settings: { sla: { concurrency: 1, queue: 1 } } });
  const first = t.broker.call("sla", "later", [20]);
  const second = t.broker.call("sla", "later", [0]);
  assert.equal((await failure(t.broker.call("sla", "later", [0]))).code, "QUEUE_FULL");
  assert.deepEqual(await Promise.all([first, second]), ["later", "later"]);
});

test("inProcess: restart() is stop and start, of a worker too", async () => {
  await using t = await start();
  await t.broker.restart(sla);
  assert.deepEqual(done, ["sla started", "sla stopped", "sla started"]);
  assert.deepEqual(await t.broker.call(sla, "change", [{ values: [] }]), { values: [2] });
  await t.broker.restart("Livestatus-2");
  const { modules } = await t.broker.status();
  assert.deepEqual(
    modules.flatMap((module) => [module, ...module.workers]).map(({ name, restarts }) => [name, restarts]),
    [
      ["Livestatus", 0],
      ["Livestatus-1", 0],
      ["Livestatus-2", 1],
      ["sla", 1],
    ],
  );
});

test("inProcess: a module that does not drain in time is given up, its signals are aborted, its stop hook never runs", async () => {
  await using t = await start({ settings: { sla: { drainMs: 20 } } });
  const waiting = failure(t.broker.call("sla", "wait"));
  await t.broker.call("sla", "steps", [0]);
  await t.broker.restart(sla);
  assert.equal((await waiting).code, "GONE");
  assert.deepEqual(done, ["sla started", "the wait was aborted", "sla started"]);
});

test("inProcess: a start hook that throws is a failed start, whose stack is in the error of a call", async () => {
  const broken = defineModule({
    name: "broken",
    restart: "never",
    start() {
      throw new TypeError("no disk");
    },
  });
  await using t = await start({ modules: [broken] });
  const error = await failure(t.broker.call("broken", "get"));
  assert.match(
    error.message,
    /process did not start: start of the module failed: no disk; its last lines: TypeError: no disk \|.* at .*in_process\.test/,
  );
  await assert.rejects(start({ modules: [broken], failFast: true }), {
    code: "GONE",
    message: /^Cannot start module "broken": process did not start: start of the module failed: no disk/,
  });
});

test("inProcess: settings of a process of its own, such as fewer rights and a folder, are ignored", async () => {
  await using t = await start({ settings: { sla: { permissions: { read: ["/nowhere"] }, cwd: "/nowhere" } } });
  assert.deepEqual(await t.broker.call(sla, "change", [{ values: [] }]), { values: [2] });
});

test("inProcess: a program of another language is a process, which ends with its broker", { skip: LINUX }, async () => {
  const echo = defineProgram({ name: "echo", command: ["cat"], protocol: "json-rpc" });
  const before = children();
  await using t = await start({ modules: [sla, echo] });
  const pid = (await t.broker.status()).modules.find(({ name }) => name === "echo")?.pid;
  assert.ok(typeof pid === "number" && pid !== process.pid);
  assert.ok(children().includes(String(pid)));
  await t.broker.stop();
  assert.deepEqual(children(), before);
});

test("inProcess: two brokers of one name in one process do not touch each other", async () => {
  await using first = await start();
  await using second = await start();
  await first.broker.stop();
  assert.deepEqual(await second.broker.call(sla, "change", [{ values: [] }]), { values: [2] });
});

test("events() ends with the broker, and at once after it", async () => {
  const t = await start();
  const events = t.broker.events();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { event } of events) seen.push(event);
  })();
  await t.broker.stop();
  await reading;
  assert.equal(seen.at(-1), "broker.stopped");
  assert.equal((await t.broker.events().next()).done, true);
});

test("on() refuses what is no function, which would fail at each event", async () => {
  await using t = await start();
  const on: unknown = t.broker.on;
  assert.ok(typeof on === "function");
  assert.throws(
    () => Reflect.apply(on, t.broker, ["*", null]),
    new TypeError('Cannot listen to "*": a listener is a function, and it is null'),
  );
});
