import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerLog, type LogFunction } from "../../../src/core/log/broker_log.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { settle } from "../manual_clock.ts";

function logWith(log: LogFunction) {
  const runtime = new FakeRuntime();
  const { clock, printed } = runtime;
  const style = { broker: "b", product: "p", aligned: false };
  const brokerLog = new BrokerLog({ runtime, style, level: "info", log });
  const report = () => brokerLog.report("broker.stopped", { ms: 1 }, { module: "b" });
  return { brokerLog, clock, printed, report };
}

const MINE = new RangeError("mine");

function fail(): never {
  throw MINE;
}

const UNREADABLE = new Proxy({}, { get: fail, getPrototypeOf: fail });

/** What a function of the program does, and the uncaught error that it is. */
const FAILURES: Record<string, [LogFunction, unknown]> = {
  "throws": [fail, MINE],
  "rejects": [() => Promise.reject(MINE), MINE],
  "throws a text": [() => {
    throw "mine";
  }, "mine"],
  "throws what can't be looked at": [() => {
    throw UNREADABLE;
  }, UNREADABLE],
  "gives what throws when it is awaited": [() => ({ then: fail }), MINE],
};

for (const [what, [failing, error]] of Object.entries(FAILURES)) {
  test(`a log function that ${what} makes uncaught errors, and everyone else gets the record`, async () => {
    const { brokerLog, clock, printed, report } = logWith(failing);
    const heard: string[] = [];
    brokerLog.on("broker.stopped", failing);
    brokerLog.on("broker.stopped", ({ event }) => void heard.push(event));
    brokerLog.on("*", failing);
    brokerLog.on("*", ({ event }) => void heard.push(event));
    report();
    await settle();
    assert.deepEqual(heard, ["broker.stopped", "broker.stopped"]);
    const uncaught = await clock.uncaught();
    assert.deepEqual(uncaught.map((thrown) => thrown === error), [true, true, true]);
    assert.deepEqual(printed, []);
  });
}

test("a log function that never settles holds nothing up", () => {
  let records = 0;
  const { report } = logWith(() => {
    records++;
    return new Promise(() => {});
  });
  report();
  report();
  assert.equal(records, 2);
});

test("listeners that come and go while an event is told get it as they stand at their turn", () => {
  const { brokerLog, report } = logWith(() => {});
  const heard: string[] = [];
  brokerLog.on("*", function first() {
    heard.push("first");
    stopSecond();
    // One that came with each event would be told of this one for ever.
    brokerLog.on("*", () => void brokerLog.on("*", () => void heard.push("inner")));
  });
  const stopSecond = brokerLog.on("*", () => void heard.push("second"));
  brokerLog.on("*", () => void heard.push("third"));
  report();
  assert.deepEqual(heard, ["first", "third"]);
});

test("a listener that logs an event is told of that one too, and the first one goes on", () => {
  const { brokerLog, report, printed } = logWith(() => {});
  const heard: string[] = [];
  brokerLog.on("*", ({ event }) => {
    if (event === "broker.stopped") brokerLog.report("broker.ready", { modules: 0, failed: 0, ms: 1 }, { module: "b" });
  });
  brokerLog.on("*", ({ event }) => void heard.push(event));
  report();
  assert.deepEqual(heard, ["broker.ready", "broker.stopped"]);
  assert.deepEqual(printed, []);
});

test("on() refuses an event that does not exist, which would never come", () => {
  const { brokerLog } = logWith(() => {});
  assert.throws(
    () => brokerLog.on("call.timeuot", () => {}),
    new TypeError('Cannot listen to "call.timeuot": there is no such event, did you mean "call.timeout"'),
  );
  assert.throws(
    () => Reflect.apply(brokerLog.on, brokerLog, [5, () => {}]),
    new TypeError("Cannot listen to 5: there is no such event"),
  );
});

test("stream() serves each next() that waits, and ends behind the last record", async () => {
  const { brokerLog, report } = logWith(() => {});
  const stream = brokerLog.stream();
  const waiting = [stream.next(), stream.next(), stream.next()];
  report();
  report();
  brokerLog.end();
  assert.deepEqual((await Promise.all(waiting)).map(({ value, done }) => [value?.event, done]), [
    ["broker.stopped", false],
    ["broker.stopped", false],
    [undefined, true],
  ]);
  const late = brokerLog.stream();
  report();
  brokerLog.end();
  assert.equal((await late.next()).value?.event, "broker.stopped");
  assert.equal((await late.next()).done, true);
  assert.deepEqual(brokerLog.wanted().includes("call.answered"), false);
});
