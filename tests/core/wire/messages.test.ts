import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ControlFromChild,
  controlFromChild,
  type ControlFromParent,
  controlFromParent,
  type Hello,
  helloText,
  readHeaders,
  readHello,
  type Setup,
} from "../../../src/core/wire/messages.ts";
import { supervisionPlan } from "../../../src/core/settings/settings.ts";

// A value of each field; the compiler asks for all of them.

const SETUP: Required<Setup> = {
  wanted: ["call.error"],
  frameLimit: 16_777_216,
  cleanupMs: 5_000,
  timeoutMs: 1_000,
  retry: "never",
  workers: 3,
  options: { months: [1] },
  supervision: supervisionPlan({ restart: "always", memory: { warnBytes: 5 } }),
  concurrency: 4,
  queue: 10,
  output: { maxLinesPerSecond: 1_000, maxLineBytes: 8_192 },
  names: ["broker-master", "sla"],
  calls: { sla: { timeoutMs: 3_000, retry: "never", calls: { get_report: { timeoutMs: 9_000, retry: "once" } } } },
};

const HELLO: Required<Hello> = {
  protocol: 1,
  version: "0.1.0",
  broker: "broker-master",
  process: "sla",
  pid: 2_565,
  runtime: "deno 2.9.5",
  codecs: ["rich", "json"],
  setup: SETUP,
};

const FIGURES = { pssBytes: 1, privateBytes: 2, heapBytes: 3, openFiles: 4 };

const FROM_CHILD: { readonly [K in ControlFromChild["kind"]]: Required<ControlFromChild<K>> } = {
  cleaning: { kind: "cleaning", owner: null },
  cleaned: { kind: "cleaned" },
  "start-wanted": { kind: "start-wanted", start: 1 },
  "start-over": { kind: "start-over", start: 1 },
  ready: {
    kind: "ready",
    commands: ["get_report"],
    cleanup: {
      ms: 3,
      released: ["sla"],
      errors: 0,
      modules: [{ name: "sla", ms: 2, error: "no host" }],
      leftovers: [{ kind: "timer", count: 1 }],
      before: FIGURES,
      after: FIGURES,
    },
  },
  failed: {
    kind: "failed",
    error: {
      name: "IOError",
      message: "no disk",
      stack: "IOError: no disk\n    at f (/a.ts:1:1)",
      data: { host: "a" },
    },
    lasting: true,
  },
  status: { kind: "status", request: 7, workers: [], error: "no" },
  signal: { kind: "signal", signal: "SIGTERM" },
  inspected: { kind: "inspected", request: 3, url: "ws://127.0.0.1:9/id", error: null },
  stopped: { kind: "stopped" },
};

const FROM_PARENT: { readonly [K in ControlFromParent["kind"]]: Required<ControlFromParent<K>> } = {
  stop: { kind: "stop", signal: "SIGINT" },
  "start-admitted": { kind: "start-admitted", start: 1 },
  inspect: { kind: "inspect", request: 3, worker: 1, action: "open" },
  targets: {
    kind: "targets",
    targets: { timeoutMs: 1_000, retry: "once", names: ["sla"], calls: { sla: { timeoutMs: 5_000 } } },
  },
  wanted: { kind: "wanted", events: ["call.error"] },
  role: { kind: "role", role: "{}", folder: "/", set: { LANG: "C" }, unset: ["PAGER"] },
  status: { kind: "status", request: 7 },
  restart: { kind: "restart", worker: 2, request: 8 },
  scale: { kind: "scale", workers: 4, request: 8 },
};

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function json(value: unknown): Uint8Array {
  return bytes(JSON.stringify(value));
}

test("a hello carries every field, and every field of its setup", () => {
  assert.deepEqual(readHello(bytes(helloText(HELLO)), "0.1.0"), HELLO);
  const greeting: Hello = { ...HELLO, setup: null };
  assert.deepEqual(readHello(bytes(helloText(greeting)), "0.1.0"), greeting);
});

test("a hello and the headers of a call carry the largest timeouts that a setting may have", () => {
  const timeoutMs = Number.MAX_VALUE;
  const setup = { ...SETUP, timeoutMs, calls: { sla: { timeoutMs, calls: { get_report: { timeoutMs } } } } };
  const hello: Hello = { ...HELLO, setup };
  assert.deepEqual(readHello(bytes(helloText(hello)), "0.1.0"), hello);
  assert.deepEqual(readHeaders({ target: "sla", timeoutMs }), { target: "sla", timeoutMs });
});

test("a stranger's hello needs its protocol and version only", () => {
  const expected = { protocol: 1, version: "9", broker: "", process: "", pid: 0, runtime: "", setup: null };
  const sent = { protocol: 1, version: "9", broker: 5, pid: "1", codecs: "rich", more: true };
  assert.deepEqual(readHello(json(sent), "0.1.0"), expected);
});

for (const key of Object.keys(SETUP)) {
  test(`a hello whose setup has a wrong ${key} is refused`, () => {
    const wrong = { ...HELLO, setup: { ...SETUP, [key]: true } };
    if (key === "options") assert.deepEqual(readHello(json(wrong), "0.1.0"), wrong);
    else assert.throws(() => readHello(json(wrong), "0.1.0"), { message: "a hello with a wrong setup" });
  });
}

for (const notice of Object.values(FROM_CHILD)) {
  test(`a notice "${notice.kind}" from a process carries every field`, () => {
    assert.deepEqual(controlFromChild.read(bytes(controlFromChild.text(notice))), notice);
  });
}

for (const notice of Object.values(FROM_PARENT)) {
  test(`a notice "${notice.kind}" from a parent carries every field, and is refused without one`, () => {
    assert.deepEqual(controlFromParent.read(bytes(controlFromParent.text(notice))), notice);
    for (const key of Object.keys(notice).filter((key) => key !== "kind")) {
      const without = json({ ...notice, [key]: undefined });
      // Most processes are asked to stop by nothing else.
      if (key === "signal") assert.deepEqual(controlFromParent.read(without), { kind: notice.kind });
      else {assert.throws(() => controlFromParent.read(without), {
          message: `a notice "${notice.kind}" without ${key}`,
        });}
      assert.throws(() => controlFromParent.read(json({ ...notice, [key]: true })), {
        message: `a notice "${notice.kind}" with a wrong ${key}`,
      });
    }
  });
}
