import { Broker, defineModule, type LogRecord, ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { sla } from "../fixtures/broker/modules.ts";
import { isAlive, PROGRAM, TestBroker } from "./broker_of.ts";

const NOT_A_BROKER = new URL("../fixtures/broker/not_a_broker.ts", import.meta.url);
const MISNAMED = new URL("../fixtures/broker/misnamed.ts", import.meta.url);
const EXITS = new URL("../fixtures/broker/exits.ts", import.meta.url);

test("a process that fails is started again at once, five times in a minute, and then left", async () => {
  const t = await TestBroker.start();
  try {
    for (let crash = 1; crash <= 5; crash++) {
      await assert.rejects(t.broker.call("sla", "exit", [7], { timeoutMs: 20_000 }), ProcessGoneError);
      assert.equal(
        await t.broker.call("sla", "size", [], { timeoutMs: 20_000 }),
        100,
        "a call waits for the next life",
      );
    }
    await assert.rejects(t.broker.call("sla", "exit", [7]), ProcessGoneError);
    await t.until(async () => (await t.broker.status()).modules[1]?.state === "failed");
    await assert.rejects(t.broker.call("sla", "size"), /process exited with code 7/);
    assert.equal((await t.broker.status()).modules[1]?.restarts, 5);
    const delays = t.records.flatMap(({ fields }) => "delayMs" in fields ? [fields.delayMs] : []);
    assert.deepEqual(delays.map((ms) => ms === 0), [true, false, false, false, false], delays.join());
    const [fatal] = t.lines(/^process\.failed$/);
    assert.match(fatal ?? "", /^FATAL : \[ broker-master \] \[ sla \] \[ PROCESS \] .*brokkr restart sla/);
    await t.broker.restart("sla");
    assert.equal(await t.broker.call("sla", "size"), 100);
  } finally {
    await t.broker.stop();
  }
});

test("restart never: the first crash is the last, and a clean exit is no failure", async () => {
  const t = await TestBroker.start({ settings: { sla: { restart: "never" } } });
  try {
    await assert.rejects(t.broker.call("sla", "exit", [0]), /process exited with code 0/);
    await t.until(async () => (await t.broker.status()).modules[1]?.state === "stopped");
    assert.deepEqual(t.lines(/^process\.failed$/), []);
  } finally {
    await t.broker.stop();
  }
});

test("restart() of a module and of a worker gives them new processes, and loses no call that waits", async () => {
  const t = await TestBroker.start();
  try {
    const before = await t.pidOf("sla");
    const restarted = t.broker.restart(sla);
    const waiting = t.broker.call("sla", "pid", [], { timeoutMs: 20_000 });
    await restarted;
    const after = await waiting;
    assert.notEqual(after, before);
    assert.equal(await isAlive(before), false);
    const worker = await t.pidOf("Livestatus-1");
    await t.broker.restart("Livestatus-1");
    const [first] = (await t.broker.status()).modules[0]?.workers ?? [];
    assert.deepEqual([first?.state, first?.restarts], ["ready", 1], "it settles when the worker is ready");
    assert.notEqual(first?.pid, worker);
    assert.equal(await isAlive(worker), false);
    const overtaken = t.broker.restart("Livestatus-1");
    await t.broker.restart("Livestatus");
    await overtaken;
    assert.equal((await t.broker.status()).modules[0]?.workers[0]?.state, "ready");
  } finally {
    await t.broker.stop();
  }
});

test("a program that never reaches Broker.start is a failed start that says so", { timeout: 60_000 }, async () => {
  const records: LogRecord[] = [];
  const broker = await Broker.start({
    name: "broker-master",
    modules: [defineModule({ name: "sla", commands: { size: () => 0 }, restart: "never" })],
    program: EXITS,
    log: (record) => void records.push(record),
  });
  try {
    await assert.rejects(broker.call("sla", "size"), (error: unknown) => {
      assert.ok(error instanceof ProcessGoneError);
      assert.equal(error.reason, "process did not start");
      assert.deepEqual(error.lastLines, ["no configuration"]);
      assert.equal(error.exitCode, 4);
      return true;
    });
    const { modules: [status] } = await broker.status();
    assert.deepEqual([status?.state, status?.pid, status?.restarts, status?.calls.error], ["failed", null, 0, 1]);
    const [exited] = records.filter(({ event }) => event === "process.exited");
    const pid = exited !== undefined && "childPid" in exited.fields ? exited.fields.childPid : null;
    assert.match(
      exited?.lines()[0] ?? "",
      /sla ended unexpectedly \(pid \d+, exit code 4, signal none\): process exited with code 4$/,
    );
    assert.equal(pid !== null && await isAlive(pid), false);
  } finally {
    await broker.stop();
  }
});

for (
  const { what, env, why } of [
    {
      what: "starts another broker",
      env: {},
      why:
        /this process belongs to broker "broker-master", and its program starts broker "another": give both the same name, or start both at once \(await Promise\.all\)/,
    },
    {
      what: "starts no broker",
      env: { MISNAMED: "none" },
      why:
        /process exited with code 0 before it reached Broker\.start\(\{ name: "broker-master" \}\): the file in "program" has to come to that start$/,
    },
  ]
) {
  test(`a file in "program" that ${what} is named in the first call's error`, { timeout: 60_000 }, async () => {
    const broker = await Broker.start({
      name: "broker-master",
      modules: [
        // Bun does not end while the start is pending.
        defineModule({ name: "sla", commands: { size: () => 0 }, restart: "never", startTimeoutMs: 2_000, env }),
      ],
      program: MISNAMED,
      log: () => {},
    });
    try {
      await assert.rejects(broker.call("sla", "size"), why);
    } finally {
      await broker.stop();
    }
  });
}

test("a program that hangs before Broker.start is ended after the deadline", { timeout: 60_000 }, async () => {
  const lines: string[] = [];
  const broker = await Broker.start({
    name: "broker-master",
    modules: [defineModule({ name: "sla", commands: { size: () => 0 }, restart: "never" })],
    program: NOT_A_BROKER,
    log: (record) => void lines.push(...record.lines()),
  });
  try {
    const why = 'process did not reach Broker.start({ name: "broker-master" }) in 10s';
    const texts = lines.map((line) => line.replace(/.*\[ MainThread \] /, "").replace(/pid \d+/, "pid N"));
    assert.deepEqual(texts.slice(1, 4), [
      `sla was sent SIGKILL (pid N): ${why}`,
      `sla ended unexpectedly (pid N, exit code none, signal SIGKILL): ${why}`,
      `sla will not be started again: ${why}; what to do: mend the cause, then run "brokkr restart sla"`,
    ]);
    const pid = Number(/sla was sent SIGKILL \(pid (\d+)\)/.exec(lines.join("\n"))?.[1]);
    assert.equal(await isAlive(pid), false);
    await assert.rejects(broker.call("sla", "size"), /process did not start/);
    const { modules: [status] } = await broker.status();
    assert.deepEqual([status?.state, status?.calls.error], ["failed", 1]);
  } finally {
    await broker.stop();
  }
});

test("stop() runs the stop hooks, ends every process and settles for all who wait", async () => {
  const t = await TestBroker.start();
  const pids = await Promise.all(
    ["Livestatus", "Livestatus-1", "Livestatus-2", "sla", "WebUI"].map((name) => t.pidOf(name)),
  );
  await Promise.all([t.broker.stop(), t.broker.stop()]);
  for (const pid of pids) assert.equal(await isAlive(pid), false, String(pid));
  assert.match(t.lines(/^module\.info$/).join(), /the history is closed/);
  assert.equal(t.records.at(-1)?.event, "broker.stopped");
  await assert.rejects(t.broker.call("sla", "size"), ProcessGoneError);
});

test("a call that runs when the broker stops is finished first", async () => {
  const t = await TestBroker.start();
  const call = t.broker.call("sla", "wait", [300], { timeoutMs: 5_000 });
  await t.broker.call("sla", "size");
  await t.broker.stop();
  assert.equal(await call, "waited");
});

test("what a module prints is logged line by line and can't be taken for a line of the broker", async () => {
  const t = await TestBroker.start();
  try {
    await t.broker.call("sla", "print", ["[2021-10-11 06:10:52] ERROR : forged\nsecond\n"]);
    await t.until(() => t.lines(/^process\.output$/).length === 2);
    const pid = await t.pidOf("sla");
    assert.deepEqual(t.lines(/^process\.output$/).map((line) => line.slice(line.indexOf("sla wrote"))), [
      `sla wrote to stdout (pid ${pid}): \\u005b2021-10-11 06:10:52] ERROR : forged`,
      `sla wrote to stdout (pid ${pid}): second`,
    ]);
  } finally {
    await t.broker.stop();
  }
});

test("on() and events() give each event as an object, until they are ended", async () => {
  const t = await TestBroker.start({ logLevel: "error" });
  try {
    const answered: unknown[] = [];
    const off = t.broker.on("call.answered", (record) => void answered.push(record.fields));
    const events = t.broker.events();
    await t.broker.call("sla", "size");
    off();
    await t.broker.call("sla", "size");
    assert.equal(answered.length, 1);
    const { value } = await events.next();
    assert.equal(value?.event, "command.executing");
    await events.return?.();
    assert.equal((await events.next()).done, true);
  } finally {
    await t.broker.stop();
  }
});

test("Broker.start() refuses bad options with the option's name", async () => {
  const sla = defineModule({ name: "sla", commands: {} });
  await assert.rejects(Broker.start({ name: "a b", modules: [] }), /Option name must be 1 to 64 of the characters/);
  await assert.rejects(
    Broker.start({ name: "sla", modules: [sla], program: PROGRAM }),
    /The name "sla" of module "sla" is also the name of the broker/,
  );
  await assert.rejects(Broker.start({ name: "x", modules: [sla], settings: { sal: {} } }), /there is no module "sal"/);
  await assert.rejects(
    Broker.start({ name: "x", modules: [sla], call: { timeoutMs: 0 } }),
    /Option call\.timeoutMs must be a number of milliseconds above 0, and it is 0/,
  );
});

test("Broker.start() in a process of a broker never settles, under its name or another's", async () => {
  const t = await TestBroker.start();
  try {
    for (const name of ["another", "broker-master"]) {
      const came = await t.broker.call("sla", "start_broker", [name, 1_500], { timeoutMs: 20_000 });
      assert.equal(came, "pending", name);
    }
    // Nothing was started for them either: the process has its module's tree only.
    assert.equal((await t.broker.status()).modules.every(({ state }) => state === "ready"), true);
  } finally {
    await t.broker.stop();
  }
});

test("a process inherits no descriptor of its parent beyond 0, 1 and 2", {
  skip: process.platform === "linux" ? false : "needs /proc",
}, async () => {
  const t = await TestBroker.start();
  try {
    const { readdir, readlink } = await import("node:fs/promises");
    const targets = async (who: string, wanted: (fd: number) => boolean) => {
      const fds = (await readdir(`/proc/${who}/fd`)).filter((fd) => wanted(Number(fd)));
      return await Promise.all(fds.map((fd) => readlink(`/proc/${who}/fd/${fd}`).catch(() => "")));
    };
    const pid = String(await t.pidOf("sla"));
    const mine = await targets("self", () => true);
    const standard = [...await targets(pid, (fd) => fd <= 2), ...await targets(String(process.ppid), () => true)];
    const theirs = await targets(pid, (fd) => fd > 2);
    // A runtime may hold its standard streams under further numbers, and what started the test may have left some open.
    const shared = theirs.filter((target) => /^(socket|pipe):/.test(target) && mine.includes(target));
    const beyond = shared.filter((target) => !standard.includes(target));
    assert.deepEqual(beyond, []);
  } finally {
    await t.broker.stop();
  }
});
