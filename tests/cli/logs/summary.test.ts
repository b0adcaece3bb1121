import assert from "node:assert/strict";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeFilter } from "../../../src/cli/log_filter.ts";
import { describeSummary } from "../../../src/cli/logs/describe.ts";
import { type LogSummary, Summary } from "../../../src/cli/logs/summary.ts";
import { formatEvent } from "../../../src/core/log/format.ts";
import { levelOf, type LogEvent } from "../../../src/core/log/events.ts";
import { LogReader } from "../../../src/core/log/log_reader.ts";
import { property } from "../../core/property.ts";

const NEW = readFileSync(new URL("../../fixtures/log/seed-lines-new.log", import.meta.url), "utf8");
const OLD = readFileSync(new URL("../../fixtures/log/seed-lines-old.log", import.meta.url), "utf8");
const EVERYTHING = { modules: [], commands: [], events: [] };
const START = new Date(2021, 9, 11, 6, 10, 52).getTime();

const MODULES = ["Livestatus", "sla", "WebUI-1"];
const COMMANDS = ["get_module_info", "get_report", "__proto__"];
const STACKS = [
  ["Traceback (most recent call last):", '  File "/srv/a.ts", line 3, in one', "Error: x"],
  ["Traceback (most recent call last):", '  File "/srv/a.ts", line 4, in two', "TypeError: y"],
];
const EVENTS = [
  ...["call.answered", "call.retry", "call.timeout", "call.error"] as const,
  ...["command.error", "cleanup.error", "module.info"] as const,
];

const eventFacts = fc.record({
  event: fc.constantFrom(...EVENTS),
  target: fc.constantFrom(...MODULES),
  command: fc.constantFrom(...COMMANDS),
  stack: fc.constantFrom(...STACKS),
  ms: fc.nat(5_000),
  pid: fc.integer({ min: 1, max: 3 }),
});

type EventFacts = typeof eventFacts extends fc.Arbitrary<infer Facts> ? Facts : never;

function eventOf({ event, target, command, stack, ms, pid }: EventFacts, time: number): LogEvent {
  const message = stack[2]?.replace(/^\w+: /, "") ?? "";
  const head = { time, pid, module: target, thread: "MainThread" };
  const called = { command, target };
  switch (event) {
    case "call.answered":
      return { ...head, event, fields: { ...called, ms, attempts: 1 } };
    case "call.retry":
      return { ...head, event, fields: { ...called, timeoutMs: 1_000 } };
    case "call.timeout":
      return { ...head, event, fields: { ...called, timeoutMs: 500, attempts: 2, sent: true, peer: "slow" } };
    case "call.error":
      return { ...head, event, fields: { ...called, code: "REMOTE", message, stack } };
    case "command.error":
      return { ...head, event, fields: { command, message, stack } };
    case "cleanup.error":
      return { ...head, event, fields: { owner: "sla", message, stack } };
    case "module.info":
      return { ...head, event, fields: { text: "The command call [x] was sent" } };
  }
}

function summaryOf(text: string, options: Partial<Parameters<typeof makeFilter>[0]> = {}): LogSummary {
  const summary = new Summary(makeFilter({ ...EVERYTHING, ...options }));
  const reader = new LogReader();
  const lines = text.split("\n").slice(0, -1);
  for (const item of [...lines.flatMap((line) => reader.push(line)), ...reader.end()]) summary.add(item);
  return summary.result([{ name: "x.log", bytes: text.length, lines: lines.length, broken: null }], { spans: 24 });
}

test("Summary counts both wordings of the seed's lines by module and command", () => {
  const { commands, modules, events, unread, first, last, levels } = summaryOf(NEW + OLD);
  assert.deepEqual([events, unread, first, last], [19, 0, "2020-11-17 09:12:11", "2021-10-11 06:10:52"]);
  assert.deepEqual(levels, { debug: 4, info: 2, warning: 6, error: 7, fatal: 0 });
  assert.deepEqual(commands, [{
    module: "Livestatus",
    command: "get_module_info",
    calls: 6,
    answered: 2,
    retried: 2,
    anotherAnswer: 2,
    timeouts: 2,
    errors: 2,
    crashed: 2,
    unknown: 2,
    executed: 2,
    strayAnswers: 0,
    latencyMs: { p50: 143, p90: 143, p99: 143, max: 143 },
  }]);
  assert.deepEqual(modules.map(({ name, cleanups }) => [name, cleanups.count, cleanups.errors]), [
    ["Livestatus", 0, 1],
    ["WebUI", 1, 0],
  ]);
});

test("Summary groups crashes by their stack, with the first and the last time, and failures by their cause", () => {
  const later = OLD.replaceAll("2020-11-17 09:12:11", "2020-11-18 10:00:00");
  const { crashes, failures, cleanupErrors } = summaryOf(NEW + OLD + later);
  assert.deepEqual(crashes.map(({ facts, ...group }) => [facts.message, facts.stack.length, group]), [
    ["Exception", 6, {
      count: 3,
      first: "2020-11-17 09:12:11",
      last: "2020-11-18 10:00:00",
      modules: ["Livestatus"],
      commands: ["get_module_info"],
    }],
  ]);
  assert.deepEqual(failures.map(({ facts, count }) => [facts.cause, count]), [
    ["timeout (1s)", 3],
    ["'int' object is not iterable", 3],
  ]);
  assert.deepEqual(cleanupErrors.map(({ facts, modules }) => [facts.message, modules]), [["IOError occurred", [
    "sla",
  ]]]);
});

test("Summary puts errors into one group whose messages differ by numbers only", () => {
  const fail = (message: string) =>
    `[2020-11-17 09:12:11] ERROR : [ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] ` +
    `Failed to send command call [c] for module M because of error: ${message}\n`;
  const { failures } = summaryOf(fail("no host 17") + fail("no host 4") + fail("no service 4"));
  assert.deepEqual(failures.map(({ facts, count }) => [facts.cause, count]), [["no host 17", 2], ["no service 4", 1]]);
});

property("Summary counts as many as a count by hand", fc.tuple(fc.boolean(), fc.array(eventFacts)), (given) => {
  const [aligned, facts] = given;
  const events = facts.map((fact, index) => eventOf(fact, START + index * 7_000));
  const style = { broker: "broker-master", product: "Shinken", aligned };
  const text = events.map((event) => `${formatEvent(event, style).join("\n")}\n`).join("");
  const summary = summaryOf(text);
  const byHand = countByHand(events);
  assert.deepEqual(summary.byEvent, byHand.byEvent);
  assert.deepEqual(summary.levels, byHand.levels);
  assert.equal(summary.unread, 0);
  const found = summary.commands.map((one) => [
    `${one.module} ${one.command}`,
    [one.answered, one.retried, one.timeouts, one.errors, one.crashed],
  ]);
  assert.deepEqual(Object.fromEntries(found), byHand.commands);
  const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
  const spans = summary.timeLine.spans;
  const of = (...ids: (keyof typeof byHand.byEvent)[]) => total(ids.map((id) => byHand.byEvent[id] ?? 0));
  assert.equal(total(spans.map(({ answered }) => answered)), of("call.answered"));
  assert.equal(total(spans.map(({ retried }) => retried)), of("call.retry"));
  assert.equal(total(spans.map(({ failed }) => failed)), of("call.timeout", "call.error"));
  assert.equal(total(summary.failures.map(({ count }) => count)), of("call.timeout", "call.error"));
  assert.equal(total(summary.crashes.map(({ count }) => count)), of("command.error"));
  assert.ok(spans.length <= 24);
});

test("Summary of a filter counts what fits, and tells how many do not", () => {
  const levelled = summaryOf(NEW, { level: "error" });
  assert.deepEqual([levelled.events, levelled.filtered], [4, 7]);
  assert.equal(summaryOf(NEW, { events: ["call.retry", "cleanup.done"] }).events, 2);
  assert.equal(summaryOf(NEW, { commands: ["get_module_info"] }).events, 8);
  // The block of the cleanup is Livestatus' and names sla.
  assert.equal(summaryOf(NEW, { modules: ["sla"] }).events, 1);
  assert.equal(summaryOf(NEW.replaceAll("Livestatus", "Livestatus-2"), { modules: ["Livestatus"] }).events, 9);
  const at = new Date(2021, 0, 1).getTime();
  assert.equal(summaryOf(NEW, { since: { from: at, to: at } }).events, 3);
  assert.equal(summaryOf(NEW, { until: { from: at, to: at } }).events, 8);
});

test("Summary bounds what it keeps: further commands, groups and spans are counted together", () => {
  const lines: string[] = [];
  for (let index = 0; index < 2_500; index++) {
    const day = new Date(2000, 0, 1 + index);
    const time = day.toISOString().slice(0, 10);
    const name = String.fromCharCode(97 + index % 26) + String.fromCharCode(97 + index / 26 % 26) +
      String.fromCharCode(97 + index / 676);
    lines.push(
      `[${time} 12:00:00] ERROR : [ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] ` +
        `Failed to send command call [${name}] for module M because of error: ${name}\n`,
    );
  }
  const { commands, failures, others, timeLine, modules } = summaryOf(lines.join(""));
  assert.equal(commands.length, 2_001);
  assert.equal(commands.find(({ command }) => command === "(others)")?.errors, 500);
  assert.deepEqual([failures.length, others.failures], [500, 2_000]);
  assert.equal(modules[0]?.errors, 2_500);
  assert.ok(timeLine.spans.length <= 24);
  assert.equal(timeLine.spans.reduce((sum, { failed }) => sum + failed, 0), 2_500);
});

test("describeSummary() keeps within 80 columns, whatever the names", () => {
  const long = "a".repeat(70);
  const text = (NEW + OLD).replaceAll("get_module_info", long).replaceAll("[ Livestatus ]", `[ ${long} ]`);
  for (const line of describeSummary(summaryOf(text), { colors: false }).split("\n")) {
    assert.ok(line.length <= 80, line);
  }
});

function countByHand(events: readonly LogEvent[]) {
  const levels = { debug: 0, info: 0, warning: 0, error: 0, fatal: 0 };
  const byEvent: Partial<Record<LogEvent["event"], number>> = {};
  const commands: Record<string, number[]> = {};
  const places: readonly string[] = ["call.answered", "call.retry", "call.timeout", "call.error", "command.error"];
  for (const event of events) {
    levels[levelOf(event)]++;
    byEvent[event.event] = (byEvent[event.event] ?? 0) + 1;
    const place = places.indexOf(event.event);
    if (place === -1 || !("command" in event.fields)) continue;
    const counts = commands[`${event.module} ${event.fields.command}`] ??= [0, 0, 0, 0, 0];
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return { levels, byEvent, commands };
}
