import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEvent } from "../../../src/core/log/format.ts";
import { toRecord } from "../../../src/core/log/broker_log.ts";
import { EVENT_IDS, EVENTS, isEventId, levelOf } from "../../../src/core/log/events.ts";
import { isAtLeast, levelFrom, type LogLevel } from "../../../src/core/log/prefix.ts";
import { OWN_SAMPLES } from "./samples.ts";

const STYLE = { broker: "broker-master", product: "Shinken", aligned: false };

test("events of brokkr's own tags are one line each, under a tag of their own", () => {
  assert.deepEqual(
    OWN_SAMPLES.flatMap(([event]) => formatEvent(event, STYLE)),
    OWN_SAMPLES.map(([, line]) => line),
  );
});

test("every event of brokkr's own tags has a sample", () => {
  const own = EVENT_IDS.filter((id) => !["CLEAN AFTER FORK", "COMMAND CALL"].includes(EVENTS[id].tag));
  assert.deepEqual(new Set(OWN_SAMPLES.map(([{ event }]) => event)), new Set(own));
});

test("every event has the most serious level of its lines, known by its id", () => {
  const levels = new Map<string, LogLevel>([
    ["cleanup.start", "info"],
    ["cleanup.done", "info"],
    ["cleanup.error", "error"],
    ["call.retry", "warning"],
    ["call.another-answer", "warning"],
    ["call.timeout", "error"],
    ["call.error", "error"],
    ["call.answered", "debug"],
    ["command.unknown", "warning"],
    ["command.error", "error"],
    ["command.executing", "debug"],
  ]);
  for (const [{ event }, line] of OWN_SAMPLES) {
    const level = levelFrom(/\] (\w+) : \[/.exec(line)?.[1]?.toLowerCase()) ?? assert.fail(line);
    if (isAtLeast(level, levels.get(event) ?? "debug")) levels.set(event, level);
  }
  assert.deepEqual(new Map(EVENT_IDS.map((id) => [id, EVENTS[id].level])), levels);
});

test("levelOf() tells an expected end from an unexpected one", () => {
  const ends = OWN_SAMPLES.map(([event]) => event).filter(({ event }) => event === "process.exited");
  assert.deepEqual(ends.map((event) => levelOf(event)), ["warning", "info"]);
});

test("isEventId() knows no name of Object.prototype", () => {
  assert.deepEqual(["call.retry", "constructor", "__proto__", ""].map(isEventId), [true, false, false, false]);
});

test("toRecord() keeps the facts and prints lines when asked", () => {
  const [event, line] = OWN_SAMPLES[4] ?? assert.fail("no sample");
  const { lines, ...facts } = toRecord(event, STYLE);
  assert.deepEqual(facts, {
    level: "info",
    event: "process.starting",
    time: event.time,
    pid: 10,
    module: "sla",
    thread: "MainThread",
    fields: { process: "WebUI", generation: 2 },
  });
  assert.deepEqual(lines(), [line]);
});

test("cleanup.receipt names each module with its time, then what is left over; errors stand in their own lines", () => {
  const [event] = OWN_SAMPLES[0] ?? assert.fail("no sample");
  assert.ok(event.event === "cleanup.receipt");
  const modules = [{ name: "Livestatus", ms: 100, error: null }, { name: "WebUI", ms: 3, error: "IOError occurred" }];
  const leftovers = [{ kind: "timer", count: 2 }, { kind: "file /a]b\n", count: 1 }];
  const ending = (fields: Partial<typeof event.fields>) =>
    formatEvent({ ...event, fields: { ...event.fields, ...fields } }, STYLE).join().split("open files ")[1];
  assert.equal(ending({ modules }), "30 to 12, each [Livestatus 0.100s, WebUI 0.003s]");
  assert.equal(
    ending({ modules, leftovers }),
    "30 to 12, each [Livestatus 0.100s, WebUI 0.003s], left over [2 × timer, 1 × file /a\\u005db\\n]",
  );
  assert.equal(ending({ leftovers: null }), "30 to 12");
});
