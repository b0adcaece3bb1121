import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type ParsedLine, parseLine } from "../../../src/core/log/parse.ts";

const OLD = readFileSync(new URL("../../fixtures/log/seed-lines-old.log", import.meta.url), "utf8").split("\n");
const CALL = "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ T ] ";
const STAMP = "[2020-11-17 09:12:11]";

/** What one line says: event, wording and fields. */
function said(text: string): unknown {
  const [line, ...more] = parseLine(text);
  assert.deepEqual(more, []);
  return line?.kind === "event" ? { event: line.event, wording: line.wording, fields: line.fields } : line;
}

function only(text: string): ParsedLine {
  const [line, ...more] = parseLine(text);
  assert.deepEqual(more, []);
  return line ?? assert.fail("no line");
}

test("parseLine() reads all that stands in a prefix", () => {
  const raw = CALL + "Received unknown command [x] to execute !";
  assert.deepEqual(only(raw), {
    kind: "event",
    event: "command.unknown",
    wording: "new",
    level: "error",
    timeText: "2020-11-17 09:12:11",
    time: new Date(2020, 10, 17, 9, 12, 11).getTime(),
    broker: "broker-master",
    module: "Livestatus",
    pid: 29341,
    thread: "T",
    fields: { command: "x" },
    raw: [raw],
  });
});

test("parseLine() reads each line of the old wording", () => {
  const command = "get_module_info";
  const retry = { event: "call.retry", wording: "old", fields: { command, target: "Livestatus", timeoutMs: 1000 } };
  const expected: readonly [number, unknown][] = [
    [0, { event: "call.answered", wording: "old", fields: { command, target: "Livestatus", ms: 143 } }],
    [1, retry],
    [2, { event: "call.another-answer", wording: "old", fields: { command } }],
    [3, { event: "call.timeout", wording: "old", fields: { command, target: "Livestatus", timeoutMs: 1000 } }],
    [4, {
      event: "call.error",
      wording: "old",
      fields: { command, target: "Livestatus", message: "'int' object is not iterable", stack: [] },
    }],
    [5, { event: "command.executing", wording: "old", fields: { command, params: "[]" } }],
    [6, { event: "command.unknown", wording: "old", fields: { command } }],
    [7, { event: "command.error", wording: "old", fields: { command, message: "", stack: [] } }],
  ];
  for (const [index, event] of expected) assert.deepEqual(said(OLD[index] ?? ""), event);
  const other =
    `${STAMP} WARNING : [ broker-master ] [ Livestatus ] The command call [get_module_info] for module Livestatus did timeout (1s). We will retry one time.`;
  assert.deepEqual(said(other), retry);
});

test("parseLine() reads the pid that two old lines have, and no other", () => {
  assert.deepEqual(
    OLD.slice(0, 8).map((text) => parseLine(text).map((line) => line.kind !== "unread" && [line.pid, line.thread])),
    [null, null, null, null, null, 2564, 2564, null].map((pid) => [[pid, null]]),
  );
});

test("parseLine() reads the template's variants", () => {
  const retry = { event: "call.retry", wording: "new", fields: { command: "c", target: "M", timeoutMs: 500 } };
  assert.deepEqual(
    said(CALL + "The command call [ c ] for module M was sent, but the call timed out (0.5s). Will retry one time."),
    retry,
  );
  assert.deepEqual(
    said(CALL + "The command call [c] for module M was sent but the call timed out (0.5s). We will retry one time."),
    retry,
  );
  assert.deepEqual(said(CALL + "Received unknown command call [ c ] to execute !"), {
    event: "command.unknown",
    wording: "new",
    fields: { command: "c" },
  });
});

test("parseLine() reads the template's prefixes", () => {
  for (
    const text of [
      "[[2020-11-17 09:12:11] INFO: [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736] cleanup done in 0.143s",
      "[2020-11-17 09:12:11] INFO:[ WebUI ][ CLEAN AFTER FORK ][ pid:3736]cleanup done in 0.143s",
      "  [2020-11-17\t09:12:11]  INFO   : [ WebUI           ]\t[ CLEAN AFTER FORK ] [ pid:3736 ]  cleanup  done in   0.143s ",
      "[2020-11-17 09:12:11] INFO : [WebUI] [CLEAN AFTER FORK] [PID: 3736] cleanup done in 0.143s",
    ]
  ) {
    const line = only(text);
    assert.ok(line.kind === "event" && line.event === "cleanup.done", text);
    assert.deepEqual([line.module, line.broker, line.pid, line.thread, line.timeText, line.fields.ms], [
      "WebUI",
      null,
      3736,
      null,
      "2020-11-17 09:12:11",
      143,
    ]);
  }
});

test("parseLine() reads a prefix with more or fewer brackets", () => {
  const prefixes: readonly [string, readonly unknown[]][] = [
    ["[ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] ", [null, "M", 1, "T"]],
    ["[ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] ", ["D", "M", 1, null]],
    ["[ D ] [ M ] [ COMMAND CALL ] ", ["D", "M", null, null]],
    ["[ D ] [ X ] [ M ] [ COMMAND CALL ] [PID:1] [ T ] ", ["D", "M", 1, "T"]],
    ["[ M ] ", [null, "M", null, null]],
    ["[ D ] [ M ] [PID:1] ", ["D", "M", 1, null]],
    // Twice: the second time a prefix that is known already.
    ["[ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] ", ["D", "M", 1, "T"]],
    ["[ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] ", ["D", "M", 1, "T"]],
  ];
  for (const [prefix, expected] of prefixes) {
    const line = only(`${STAMP} DEBUG : ${prefix}Executing command [c] with param [1]`);
    assert.ok(line.kind === "event" && line.event === "command.executing", prefix);
    assert.deepEqual([line.broker, line.module, line.pid, line.thread], expected);
    assert.deepEqual(line.fields, { command: "c", params: "[1]" });
  }
});

test("parseLine() keeps white space in a message, and collapses it in the words", () => {
  const fields = { command: "c", target: "M", message: "two  spaces \t[x] 〖 y 〗 because of error: z", stack: [] };
  const text =
    "Failed to send command call [c] for module M because of error: two  spaces \t[x] 〖 y 〗 because of error: z";
  const expected = { event: "call.error", wording: "new", fields };
  assert.deepEqual(said(CALL + text), expected);
  assert.deepEqual(said(CALL + text.replace("send command", "send \t command")), expected);
});

test("parseLine() splits records before each time stamp", () => {
  const first = "[2021-10-11 06:10:52] INFO : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] cleanup is starting";
  const second = "[[2021-10-11 06:10:53] INFO: [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736] cleanup done in 0.143s";
  for (const text of [`${first} ${second}`, `${first}${second}`]) {
    assert.deepEqual(parseLine(text).map((line) => line.kind === "event" && [line.event, line.timeText, line.raw]), [
      ["cleanup.start", "2021-10-11 06:10:52", [first]],
      ["cleanup.done", "2021-10-11 06:10:53", [second]],
    ]);
  }
  assert.deepEqual(parseLine(`| Code | ${first}`).map((line) => line.kind), ["unread", "event"]);
});

test("parseLine() splits at no other time stamp", () => {
  const text = CALL +
    "Failed to send command call [c] for module M because of error: none since [2021-10-11 06:10:52] here";
  assert.equal(parseLine(text).length, 1);
});

test("parseLine() knows a line of a cleanup block and of a stack", () => {
  const block = "[2021-10-11 06:10:52] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:1 ] [ sla ] ERROR stack : x";
  const facts = [block, CALL + "  raise Exception", `${STAMP} ERROR : [ D ] [ M ] result = f()`].map((text) => {
    const line = only(text);
    return line.kind === "part" && [line.event, line.owner, line.text];
  });
  assert.deepEqual(facts, [
    ["cleanup.error", "sla", "ERROR stack : x"],
    [null, null, "  raise Exception"],
    [null, null, "result = f()"],
  ]);
});

test("parseLine() gives back what it can't read", () => {
  for (
    const raw of [
      "",
      "plain text",
      "[",
      "[2020-11-17 09:12:11]",
      `${STAMP} INFO`,
      `${STAMP} INFO :`,
      `${STAMP} INFO : text`,
      `${STAMP} INFO : [ never closed`,
      `${STAMP} INFO : [ M ] some other line`,
      `${STAMP} NOTICE : [ M ] [ CLEAN AFTER FORK ] [ pid:1 ] cleanup is starting`,
      `${STAMP} INFO : [ COMMAND CALL ] x`,
      `${STAMP} INFO : [ D ] [ M ] [ PROCESS ] [ PID:1 ] [ T ] nothing known`,
      CALL.replace("ERROR", "DEBUG") + "Executing something",
    ]
  ) {
    assert.deepEqual(parseLine(raw), [{ kind: "unread", raw }]);
  }
});

test("parseLine() gives no number for a time that is none", () => {
  const line = only(CALL + "The command call [c] was executed by the module M in soons");
  assert.ok(line.kind === "event" && line.event === "call.answered");
  assert.ok(Number.isNaN(line.fields.ms));
});
