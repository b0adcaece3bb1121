import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatEvent } from "../../../src/core/log/format.ts";
import { LogReader } from "../../../src/core/log/log_reader.ts";
import type { LogItem } from "../../../src/core/log/parse.ts";
import { OWN_SAMPLES } from "./samples.ts";

const NEW = readFileSync(new URL("../../fixtures/log/seed-lines-new.log", import.meta.url), "utf8");
const OLD = readFileSync(new URL("../../fixtures/log/seed-lines-old.log", import.meta.url), "utf8");
const STYLE = { broker: "broker-master", product: "Shinken", aligned: false };

function read(lines: readonly string[]): LogItem[] {
  const reader = new LogReader();
  return [...lines.flatMap((line) => reader.push(line)), ...reader.end()];
}

function print(items: readonly LogItem[], style = STYLE): string {
  return items.map((item) => item.kind === "event" ? formatEvent(item, style).join("\n") + "\n" : item.raw).join("");
}

/** Event ids with their stacks, and lines that are no event's. */
function outline(items: readonly LogItem[]): unknown[] {
  return items.map((item) => {
    if (item.kind === "unread") return item.raw;
    return "stack" in item.fields ? [item.event, ...item.fields.stack] : item.event;
  });
}

function line(text: string, { pid = 1, level = "ERROR", thread = "T", second = 11 } = {}): string {
  return `[2020-11-17 09:12:${second}] ${level} : [ D ] [ M ] [ COMMAND CALL ] [ PID:${pid} ] [ ${thread} ] ${text}`;
}

const CRASH = "Failed to execute received command [c] with error: Exception";
const FAIL = "Failed to send command call [c] for module M because of error: x";

test("LogReader reads the seed's lines, and formatEvent() prints the same bytes", () => {
  const items = read(NEW.trimEnd().split("\n"));
  assert.equal(items.length, 11);
  assert.equal(print(items), NEW);
});

test("LogReader reads the seed's lines from one physical line", () => {
  assert.equal(print(read([NEW.trimEnd().replaceAll("\n", " ")])), NEW);
});

test("LogReader reads aligned lines, and formatEvent() prints the same bytes", () => {
  const aligned = print(read(NEW.trimEnd().split("\n")), { ...STYLE, aligned: true });
  assert.notEqual(aligned, NEW);
  assert.equal(print(read(aligned.trimEnd().split("\n"))), NEW);
});

for (const [name, space] of [["two spaces", "  "], ["a tab", "\t"]] as const) {
  test(`LogReader reads lines of the seed that have ${name} wherever one space stands`, () => {
    const ids = (items: readonly LogItem[]) => items.map((item) => item.kind === "event" ? item.event : item.raw);
    const all = [...NEW.trimEnd().split("\n"), ...OLD.trimEnd().split("\n")];
    assert.deepEqual(ids(read(all.map((text) => text.replaceAll(" ", space)))), ids(read(all)));
  });
}

test("LogReader reads lines of brokkr's own tags, and formatEvent() prints the same bytes", () => {
  const items = read(OWN_SAMPLES.map(([, text]) => text));
  assert.deepEqual(items.map((item) => item.kind === "event" && item.event), OWN_SAMPLES.map(([{ event }]) => event));
  assert.deepEqual(
    items.map((item) => item.kind === "event" && item.fields),
    // Its line does not show what it came with.
    OWN_SAMPLES.map(([{ event, fields }]) =>
      event === "program.notification" ? { process: fields.process, method: fields.method } : fields
    ),
  );
  assert.equal(print(items), OWN_SAMPLES.map(([, text]) => `${text}\n`).join(""));
});

test("LogReader reads the modules of a receipt with their times", () => {
  const [, text] = OWN_SAMPLES[0] ?? assert.fail("no sample");
  const each = ", each [Livestatus 0.100s, WebUI 0.003s]";
  for (const [ending, leftovers] of [[each, []], [`${each}, left over [2 × timer]`, [{ kind: "timer", count: 2 }]]]) {
    const [item] = read([`${text}${ending}`]);
    assert.ok(item?.kind === "event" && item.event === "cleanup.receipt");
    assert.deepEqual(item.fields.modules, [{ name: "Livestatus", ms: 100 }, { name: "WebUI", ms: 3 }]);
    assert.deepEqual(item.fields.leftovers, leftovers);
    assert.equal(print([item]), `${text}${ending}\n`);
  }
});

test("LogReader groups a cleanup block", () => {
  const item = read(NEW.split("\n").slice(2, 12)).at(0);
  assert.ok(item?.kind === "event" && item.event === "cleanup.error");
  assert.equal(item.fields.owner, "sla");
  assert.equal(item.fields.message, "IOError occurred");
  assert.deepEqual(item.fields.stack.slice(0, 1), ["Traceback (most recent call last):"]);
  assert.deepEqual([item.module, item.pid, item.raw.length], ["Livestatus", 20404, 10]);
});

test("LogReader groups the crash of the old wording and names its error", () => {
  const items = read(OLD.trimEnd().split("\n"));
  assert.equal(items.length, 8);
  const crash = items[7];
  assert.ok(crash?.kind === "event" && crash.event === "command.error");
  assert.deepEqual(crash.fields.stack.slice(-2), ["raise Exception", "Exception"]);
  assert.deepEqual([crash.fields.message, crash.wording, crash.raw.length], ["Exception", "old", 7]);
});

test("LogReader gives a stack to the Failed to execute before it", () => {
  const lines = [CRASH, "Traceback (most recent call last):", "Exception"].map((text) => line(text));
  assert.deepEqual(outline(read([...lines, line("Executing command [d] with param []", { level: "DEBUG" })])), [
    ["command.error", "Traceback (most recent call last):", "Exception"],
    "command.executing",
  ]);
});

test("LogReader gives a stack to the Failed to send behind it", () => {
  const lines = ["Traceback (most recent call last):", "  File", "E: x", FAIL].map((text) => line(text));
  const items = read(lines);
  assert.deepEqual(outline(items), [["call.error", "Traceback (most recent call last):", "  File", "E: x"]]);
  assert.equal(print(items, { ...STYLE, broker: "D" }), lines.join("\n") + "\n");
});

test("LogReader gives each of two stacks to its own line", () => {
  const texts = [
    CRASH,
    "Traceback (most recent call last):",
    "Exception",
    "Traceback (most recent call last):",
    "E: x",
  ];
  const first = ["command.error", "Traceback (most recent call last):", "Exception"];
  const second = ["Traceback (most recent call last):", "E: x"];
  assert.deepEqual(outline(read([...texts, FAIL].map((text) => line(text)))), [first, ["call.error", ...second]]);
  assert.deepEqual(outline(read(texts.map((text) => line(text)))), [[...first, ...second]]);
});

test("LogReader keeps the tracebacks of a chained Python error together", () => {
  const stack = [
    "Traceback (most recent call last):",
    "KeyError: 'a'",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    "E: x",
  ];
  assert.deepEqual(outline(read([CRASH, ...stack, FAIL].map((text) => line(text)))), [
    ["command.error", ...stack],
    ["call.error"],
  ]);
});

test("LogReader keeps the lines of mixed processes apart, in the order of first lines", () => {
  const items = read([
    line(CRASH, { pid: 1 }),
    line("Traceback 2", { pid: 2 }),
    line("Traceback 1", { pid: 1 }),
    line("Received unknown command [c] to execute !", { pid: 3 }),
    line(FAIL, { pid: 2 }),
    line("E: 1", { pid: 1 }),
  ]);
  assert.deepEqual(outline(items), [
    ["command.error", "Traceback 1", "E: 1"],
    "command.unknown",
    ["call.error", "Traceback 2"],
  ]);
});

test("LogReader gives a line without a time stamp to the record before it", () => {
  const items = read([line(CRASH), "Traceback", "", "E", line(FAIL), "second line", line(CRASH, { pid: 2 }), "Z"]);
  assert.deepEqual(outline(items), [["command.error", "Traceback", "", "E"], ["call.error"], ["command.error", "Z"]]);
  const failed = items[1];
  assert.ok(failed?.kind === "event" && failed.event === "call.error");
  assert.equal(failed.fields.message, "x\nsecond line");
  assert.deepEqual(failed.raw, [line(FAIL), "second line"]);
});

test("LogReader takes no bracket for text because the brackets in front of it are known", () => {
  const events = read([
    "[2020-11-17 09:12:11] DEBUG : [ D ] [ M ] Executing command [c] with param []",
    "[2020-11-17 09:12:11] DEBUG : [ D ] [ M ] [ COMMAND CALL ] Executing command [c] with param []",
    "[2020-11-17 09:12:11] DEBUG : [ D ] [ M ] Executing command [c] with param []",
  ]);
  assert.deepEqual(events.map((item) => item.kind === "event" && item.wording), ["old", "new", "old"]);
});

test("LogReader drops nothing", () => {
  const lines = [
    "before",
    line("a stack that nobody follows"),
    "continued",
    "[2020-11-17 09:12:11] INFO : [ M ] another program's line",
    "its second line",
    "[2020-11-17 09:12:11] ERROR : [ M ] [ CLEAN AFTER FORK ] [ pid:1 ] [ O ] no block",
    "[2020-11-17 09:12:11] ERROR : [ D ] [ M ] not a traceback",
  ];
  assert.deepEqual(read(lines), lines.map((raw) => ({ kind: "unread", raw, file: null, line: null })));
});

test("LogReader says where the lines stand that are no event's, also where they waited for what followed", () => {
  const reader = new LogReader();
  reader.begin("a.log", 10);
  const items = [...reader.push("before"), ...reader.push(line("Traceback (most recent call last):"))];
  reader.begin("b.log");
  for (
    const text of ["  of the first", line(`Executing command [c] with param [] ${line("no event")}`, { second: 30 })]
  ) {
    items.push(...reader.push(text));
  }
  items.push(...reader.end());
  assert.deepEqual(
    items.map((item) => item.kind === "unread" ? [item.file, item.line, item.raw.slice(-9)] : item.event),
    [
      ["a.log", 11, "before"],
      ["a.log", 12, "ll last):"],
      ["b.log", 1, "the first"],
      "command.executing",
      ["b.log", 2, " no event"],
    ],
  );
});

test("LogReader ends a group when the log has gone on for 5 s", () => {
  const reader = new LogReader();
  assert.deepEqual(reader.push(line(CRASH)), []);
  assert.deepEqual(outline(reader.push(line("Received unknown command [c] to execute !", { pid: 2, second: 17 }))), [
    ["command.error"],
  ]);
});

test("LogReader goes on behind end(), for a log that is still written", () => {
  const reader = new LogReader();
  reader.push(line(CRASH));
  assert.deepEqual(outline(reader.end()), [["command.error"]]);
  assert.deepEqual(reader.end(), []);
  reader.push(line("Received unknown command [c] to execute !"));
  assert.deepEqual(outline(reader.end()), ["command.unknown"]);
});

test("LogReader keeps a bounded number of lines", () => {
  const reader = new LogReader();
  let items = 0;
  const count = (more: readonly LogItem[]) => items += more.length;
  count(reader.push(line(CRASH)));
  for (let index = 0; index < 5000; index++) count(reader.push(line(`stack ${index}`)));
  for (let index = 0; index < 5000; index++) count(reader.push("continued"));
  for (let pid = 2; pid < 5000; pid++) count(reader.push(line(CRASH, { pid })));
  assert.ok(items > 14_000, `${items} items`);
});

test("LogReader takes lines that end with a carriage return", () => {
  assert.equal(print(read(NEW.trimEnd().split("\n").map((text) => `${text}\r`))), NEW);
});
