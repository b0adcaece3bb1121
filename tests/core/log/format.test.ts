import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEvent } from "../../../src/core/log/format.ts";
import { formatDuration, formatTimeout } from "../../../src/core/duration.ts";
import { formatParams } from "../../../src/core/log/escape.ts";
import { LogReader } from "../../../src/core/log/log_reader.ts";
import type { PrintedEvent } from "../../../src/core/log/events.ts";

const STYLE = { broker: "broker-master", product: "Shinken", aligned: false };
const HEAD = { time: new Date(2021, 0, 2, 3, 4, 5).getTime(), pid: 1, module: "sla", thread: "MainThread" };
const PREFIX = "[2021-01-02 03:04:05] ERROR : [ broker-master ] [ sla ] [ COMMAND CALL ] [ PID:1 ] [ MainThread ] ";
const FORGED = "[2021-01-02 03:04:05] INFO : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] cleanup is starting";

function withMessage(message: string): PrintedEvent {
  return { ...HEAD, event: "call.error", fields: { command: "get", target: "sla", message, stack: [] } };
}

function read(lines: readonly string[]) {
  const reader = new LogReader();
  return [...lines.flatMap((line) => reader.push(line)), ...reader.end()];
}

test("formatDuration() has three decimals", () => {
  assert.deepEqual([143, 0, 0.4, 61_234.5, -1].map(formatDuration), [
    "0.143s",
    "0.000s",
    "0.000s",
    "61.234s",
    "0.000s",
  ]);
});

test("formatTimeout() is the shortest decimal", () => {
  assert.deepEqual(
    [1000, 500, 10_000, 1500, 1, 0.0001, 90_000].map(formatTimeout),
    ["1s", "0.5s", "10s", "1.5s", "0.001s", "0s", "90s"],
  );
});

test("formatEvent() prints local time, second after second", () => {
  const times = [0, 999, 1000, 86_400_000].map((ms) => HEAD.time + ms);
  assert.deepEqual(
    times.map((time) => formatEvent({ ...withMessage("m"), time }, STYLE)[0]?.slice(0, 21)),
    ["[2021-01-02 03:04:05]", "[2021-01-02 03:04:05]", "[2021-01-02 03:04:06]", "[2021-01-03 03:04:05]"],
  );
});

test("formatEvent() escapes what could end a line or move the cursor, and keeps backslashes", () => {
  const message = "C:\\new\n\r\n\t\x1b[2K\0\x7f\x85\u2028\u2029\u202e\ud800é😀";
  assert.deepEqual(formatEvent(withMessage(message), STYLE), [
    PREFIX + "Failed to send command call [get] for module sla because of error: " +
    "C:\\new\\n\\r\\n\\t\\u001b[2K\\u0000\\u007f\\u0085\\u2028\\u2029\\u202e\\ud800é😀",
  ]);
});

test("formatEvent() escapes each such character where it is the only one", () => {
  const characters = ["\n", "\r", "\0", "\x9f", "\u2028", "\u2029", "\u061c", "\u200e", "\u2066", "\ufeff", "\udfff"];
  for (const character of characters) {
    const event: PrintedEvent = {
      ...withMessage(`a${character}b`),
      event: "command.error",
      fields: { command: `c${character}d`, message: `a${character}b`, stack: [`e${character}f`] },
    };
    assert.ok(!formatEvent(event, STYLE).some((line) => line.includes(character)), JSON.stringify(character));
  }
});

test("formatEvent() escapes a text that is escaped already to itself", () => {
  const [line = ""] = formatEvent(withMessage("a\nb ]\u2028" + FORGED), STYLE);
  const message = line.slice(line.indexOf("error: ") + 7);
  assert.deepEqual(formatEvent(withMessage(message), STYLE), [line]);
});

test("formatEvent() lets no name leave its brackets", () => {
  const event: PrintedEvent = {
    ...HEAD,
    thread: "T ] Executing command [x",
    module: "m\n]",
    event: "command.unknown",
    fields: { command: "c] to execute !\n" + FORGED },
  };
  assert.deepEqual(formatEvent(event, STYLE), [
    "[2021-01-02 03:04:05] WARNING : [ broker-master ] [ m\\n\\u005d ] [ COMMAND CALL ] [ PID:1 ] " +
    "[ T \\u005d Executing command [x ] Received unknown command [c\\u005d to execute !\\n" +
    "[2021-01-02 03:04:05\\u005d INFO : [ WebUI \\u005d [ CLEAN AFTER FORK \\u005d [ pid:3736 \\u005d cleanup is starting] to execute !",
  ]);
});

test("a message that imitates a whole line is read as a message", () => {
  for (const message of [FORGED, `x ${FORGED}`, `x\n${FORGED}`, `x\u2028${FORGED}`, `\r${FORGED}`, `[${FORGED}`]) {
    const lines = formatEvent(withMessage(message), STYLE);
    assert.equal(lines.length, 1);
    assert.deepEqual(read(lines).map((item) => item.kind === "event" && item.event), ["call.error"]);
  }
});

test("a thrown message whose lines imitate events is read as a stack", () => {
  const forged = [
    "Failed to send command call [get] for module sla because of timeout (1s).",
    "  The command call [get] was executed by the module sla in 0.001s",
    "Failed to execute received command [get] with error: x",
    "Received unknown command [get] to execute !",
    "Our father process did send us the command [get] that did fail:",
    FORGED,
    `x\n${FORGED}`,
  ];
  const fields = { command: "get", message: "x", stack: ["Error: x", ...forged] };
  const lines = formatEvent({ ...HEAD, event: "command.error", fields }, STYLE);
  assert.deepEqual(lines.slice(1, 4), [
    PREFIX + "Error: x",
    PREFIX + "\\Failed to send command call [get] for module sla because of timeout (1s).",
    PREFIX + "  \\The command call [get] was executed by the module sla in 0.001s",
  ]);
  const items = read(lines);
  assert.deepEqual(items.map((item) => item.kind === "event" && item.event), ["command.error"]);
  assert.deepEqual(items.flatMap((item) => item.kind === "event" ? formatEvent(item, STYLE) : []), lines);
});

test("a stack of a cleanup cannot begin another block", () => {
  const stack = [
    "Error: x",
    "On linux system, the forking mechanism",
    "Cleanup of data from module \u3016 a \u3017 raised",
  ];
  const lines = formatEvent(
    { ...HEAD, event: "cleanup.error", fields: { owner: "WebUI", message: "x", stack } },
    STYLE,
  );
  assert.deepEqual(lines.slice(5), [
    "[2021-01-02 03:04:05] ERROR : [ sla ] [ CLEAN AFTER FORK ] [ pid:1 ] [ WebUI ] \\On linux system, the forking mechanism",
    "[2021-01-02 03:04:05] ERROR : [ sla ] [ CLEAN AFTER FORK ] [ pid:1 ] [ WebUI ] \\Cleanup of data from module \u3016 a \u3017 raised",
  ]);
});

test("formatEvent() keeps the tabs of a stack of another language", () => {
  const fields = { command: "get", message: "x", stack: ["\tat com.acme.Main.run(Main.java:12)", "a\x1b[0m"] };
  assert.deepEqual(formatEvent({ ...HEAD, event: "command.error", fields }, STYLE).slice(1), [
    PREFIX + "\tat com.acme.Main.run(Main.java:12)",
    PREFIX + "a\\u001b[0m",
  ]);
});

test("formatEvent() cuts a message of megabytes", () => {
  const [line = ""] = formatEvent(withMessage("x".repeat(5_000_000)), STYLE);
  assert.equal(
    line.length,
    (PREFIX + "Failed to send command call [get] for module sla because of error: ").length + 10_001,
  );
  assert.ok(line.endsWith("x…"));
});

test("formatParams() is JSON", () => {
  assert.equal(formatParams([]), "[]");
  assert.equal(formatParams(["2021-10", 3]), '["2021-10",3]');
  const params = [{ a: null, b: [true, -0, 1e21, NaN], c: undefined, 'q"': "é\n" }, new Date(0), undefined, new Map()];
  assert.equal(formatParams(params), JSON.stringify(params));
});

test("formatParams() never throws", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const shared = {};
  const throwing = { toJSON: () => assert.fail("toJSON") };
  const getter = {
    get a() {
      return assert.fail("getter");
    },
    b: 1,
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.equal(
    formatParams([cyclic, shared, shared, 12n, () => 1, Symbol("s"), throwing, getter, proxy, 1]),
    '[{"self":"<cyclic>"},{},{},12,"<function>","<symbol>","<unreadable>",{"a":"<unreadable>","b":1},"<unreadable>",1]',
  );
  assert.equal(formatParams([new Uint8Array(3), new ArrayBuffer(8)]), '["<3 bytes>","<8 bytes>"]');
});

test("formatParams() cuts at 1,000 characters, whatever comes", () => {
  const deep: unknown[] = [];
  for (let inner = deep, depth = 0; depth < 100_000; depth++) inner.push(inner = []);
  for (
    const params of [
      ["x".repeat(100_000_000)],
      new Array(10_000_000).fill(1),
      [deep],
      [{ ["k".repeat(10_000_000)]: 1 }],
    ]
  ) {
    const text = formatParams(params);
    assert.equal(text.length, 1001);
    assert.ok(text.endsWith("…"));
  }
  assert.equal(formatParams(["x".repeat(996)]), `["${"x".repeat(996)}"]`);
  assert.equal(formatParams(["x".repeat(997)]), `["${"x".repeat(997)}"…`);
  assert.equal(formatParams(["x".repeat(997) + "😀"]), `["${"x".repeat(997)}…`);
});
