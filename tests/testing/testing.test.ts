import { Broker, defineModule, defineProgram, type LogRecord } from "brokkr";
import { startBroker, stopBrokers, stub, TestClock } from "brokkr/testing";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";

const sla = defineModule({
  name: "sla",
  commands: {
    get_report: (month: string) => ({ month, uptime: 99.7 }),
    later: async (month: string) => await Promise.resolve(month),
    *months() {
      yield "2021-10";
    },
    wait: () => new Promise<void>(() => {}),
  },
  start: (): never => {
    throw new Error("the real one has started");
  },
});

const web = defineModule({
  name: "web",
  commands: (ctx) => ({
    page: async () => `up ${(await ctx.call(sla, "get_report", ["2021-10"])).uptime} %`,
    price: () => ctx.call("prices", "price", ["plum"]),
  }),
});

const prices = defineProgram({ name: "prices", command: ["/nowhere/prices"], protocol: "json-rpc" });

test("stub(): a module has the commands of the test in the place of its own, and nothing else of it", async () => {
  const months: string[] = [];
  await using broker = await startBroker({
    modules: [
      web,
      stub(sla, {
        get_report(month) {
          months.push(month);
          return { month, uptime: 50 };
        },
        later: (month) => `not awaited ${month}`,
        *months() {
          yield "2021-11";
        },
      }),
    ],
  });
  assert.equal(await broker.call(web, "page"), "up 50 %");
  assert.deepEqual(months, ["2021-10"]);
  assert.equal(await broker.call(sla, "later", ["x"]), "not awaited x");
  assert.equal((await broker.stream(sla, "months").next()).value, "2021-11");
  await assert.rejects(broker.call(sla, "wait"), { code: "UNKNOWN_COMMAND" });
});

test("stub(): a program, or a module that is known by its name only, is replaced too, and not started", async () => {
  for (
    const program of [
      stub(prices, { price: (fruit: string) => `${fruit} 3` }),
      stub("prices", { price: () => 3 }),
    ]
  ) {
    await using broker = await startBroker({ modules: [web, program] });
    assert.ok(["plum 3", 3].includes(Object(await broker.call(web, "price")).valueOf()));
    assert.deepEqual((await broker.status()).modules.map(({ pid }) => pid), [process.pid, process.pid]);
  }
});

test("startBroker() rejects where a module's start fails, and leaves nothing", async () => {
  await assert.rejects(startBroker({ modules: [sla], logLevel: "fatal", log: () => {} }), {
    code: "GONE",
    message: /^Cannot start module "sla": process did not start: start of the module failed: the real one has started/,
  });
});

test("stopBrokers() stops those that still run, and is done at once where none does", async () => {
  const brokers = [await startBroker({ modules: [web] }), await startBroker({ modules: [web], name: "other" })];
  const stopped: string[] = [];
  for (const broker of brokers) broker.on("broker.stopped", () => stopped.push(broker.name));
  await brokers[0]?.stop();
  await stopBrokers();
  assert.deepEqual(stopped.toSorted(), ["other", "test"]);
  await stopBrokers();
});

/** A broker of `slow`, on a clock of the test. */
async function onClock(records: LogRecord[] = []) {
  const state = { starts: 0, works: true };
  const slow = defineModule({
    name: "slow",
    restart: { delayMs: 20_000, jitter: 0 },
    workers: { count: 1, commands: { wait: () => new Promise<void>(() => {}) } },
    commands: (ctx) => ({
      wait: () => new Promise<void>(() => {}),
      worker: () => ctx.workers.call("wait", [], { timeoutMs: 3_600_000 }),
      report() {
        this.progress(1);
        return "report";
      },
    }),
    start() {
      state.starts++;
      if (!state.works) throw new Error("no disk");
    },
  });
  const clock = new TestClock(Date.UTC(2021, 9, 11));
  const broker = await startBroker({
    modules: [slow],
    clock,
    logLevel: "debug",
    log: (record) => void records.push(record),
  });
  return { broker, clock, state };
}

test("TestClock: a call of an hour times out when the test says so, after its retry, and in the log's time", async () => {
  const records: LogRecord[] = [];
  const { broker, clock } = await onClock(records);
  assert.equal(await broker.call("slow", "report"), "report");
  let isOver = false;
  const failed = assert.rejects(broker.call("slow", "wait", [], { timeoutMs: 3_600_000 }), { code: "TIMEOUT" })
    .finally(() => isOver = true);
  await clock.advance(2 * 3_600_000 - 1);
  assert.equal(isOver, false);
  await clock.advance(1);
  await failed;
  const times = records.filter(({ event }) => /^call\.(retry|timeout)$/.test(event)).map(({ time }) =>
    new Date(time).toISOString()
  );
  assert.deepEqual(times, ["2021-10-11T01:00:00.000Z", "2021-10-11T02:00:00.000Z"]);
  await broker.stop();
});

test("TestClock: the calls of a module to its workers are in the same time", async () => {
  const { broker, clock } = await onClock();
  const failed = assert.rejects(broker.call("slow", "worker", [], { timeoutMs: 4 * 3_600_000 }), {
    code: "REMOTE",
    remoteName: "CallTimeoutError",
  });
  await clock.advance(2 * 3_600_000);
  await failed;
  await broker.stop();
});

test("TestClock: a module that restarts after a pause does so when the test says so", async () => {
  const { broker, clock, state } = await onClock();
  state.works = false;
  await broker.restart("slow");
  await clock.advance(0);
  assert.deepEqual(state.starts, 3);
  const called = broker.call("slow", "report", [], { timeoutMs: 120_000 });
  state.works = true;
  await clock.advance(19_999);
  assert.equal(state.starts, 3);
  await clock.advance(1);
  assert.deepEqual([await called, state.starts], ["report", 4]);
  await broker.stop();
});

test("TestClock: stop() needs no time, and a clock that nothing waits for may be moved", async () => {
  const { broker, clock } = await onClock();
  await clock.advance(10 * 86_400_000);
  assert.equal(await broker.call("slow", "report"), "report");
  await broker.stop();
  await clock.advance(1);
});

test(
  "TestClock: a start that is tried again comes to its end while the test moves the clock",
  { timeout: 20_000 },
  async () => {
    const clock = new TestClock();
    let starts = 0;
    const flaky = defineModule({
      name: "flaky",
      commands: { report: () => "report" },
      start() {
        if (++starts < 4) throw new Error("no database");
      },
    });
    let broker: Broker | undefined;
    const options = { modules: [flaky], clock, failFast: false, logLevel: "fatal" } as const;
    void startBroker(options).then((started) => broker = started);
    for (let moved = 0; broker === undefined && moved < 10_000; moved++) await clock.advance(100);
    assert.deepEqual([await broker?.call(flaky, "report"), starts], ["report", 4]);
    await broker?.stop();
  },
);

test("TestClock: advance() leaves the event loop a turn before there is a broker", async () => {
  let hasTurned = false;
  setTimeout(() => hasTurned = true, 0);
  const clock = new TestClock();
  for (let moved = 0; !hasTurned && moved < 100_000; moved++) await clock.advance(1);
  assert.equal(hasTurned, true);
});

test("TestClock: time never goes back, whatever moves it", async () => {
  const clock = new TestClock();
  const start = clock.now();
  await Promise.all([clock.advance(1_000), clock.advance(10)]);
  assert.equal(clock.now(), start + 1_000);
  for (const ms of [-1, NaN]) {
    await assert.rejects(clock.advance(ms), {
      name: "RangeError",
      message: `Cannot advance a TestClock by ${ms}: ms must be a number of at least 0`,
    });
  }
  assert.equal(clock.now(), start + 1_000);
});

test("Broker.start() takes the clock itself, and refuses what is none", async () => {
  const clock = new TestClock();
  await using broker = await Broker.start({ name: "b", modules: [web], inProcess: { clock }, logLevel: "fatal" });
  assert.equal(broker.name, "b");
  // As plain JavaScript may give it.
  const wrong: object = { name: "b", modules: [web], inProcess: "yes" };
  await assert.rejects(
    Reflect.apply(Broker.start, Broker, [wrong]),
    new TypeError('Option inProcess must be true, false or an object with a clock, and it is "yes"'),
  );
});

/** Never called: what the compiler refuses. */
export function refused() {
  // @ts-expect-error: the module has no such command
  stub(sla, { get_raport: () => 5 });
  // @ts-expect-error: the command returns a report
  stub(sla, { get_report: () => 5 });
  // @ts-expect-error: the command gets a text
  stub(sla, { later: async (month: number) => await Promise.resolve(String(month)) });
  // @ts-expect-error: it is in the process in any case
  return startBroker({ modules: [sla], inProcess: false });
}
