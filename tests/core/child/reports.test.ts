import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { Supervision } from "./fake_process.ts";

const WORDS = { event: "module.info", time: 5, pid: 100, module: "sla", thread: "MainThread", fields: { text: "hi" } };

test("an event that a process reports has the process' own module and pid, whatever it says", async () => {
  const s = new Supervision();
  const life = await s.up();
  await s.advance(10);
  await life.send(FrameType.records, [
    { ...WORDS, module: "billing", pid: 4242 },
    { ...WORDS, module: "sla-1", pid: 4242 },
    { ...WORDS, module: "sla-2", pid: 4242 },
    { ...WORDS, extra: 1, fields: { text: "hi", level: "fatal" } },
  ]);
  assert.deepEqual(s.events, [WORDS, { ...WORDS, module: "sla-1", pid: 4242 }, WORDS, WORDS]);
  assert.deepEqual(s.lines().slice(2), []);
});

test("the time of an event lies within the life of its process", async () => {
  const s = new Supervision();
  s.runtime.clock.wallOffset = 1_000;
  const life = await s.up();
  await s.advance(500);
  for (const time of [-1e300, 0, 999, 1_200, 1_501, 1e300]) await life.send(FrameType.records, [{ ...WORDS, time }]);
  assert.deepEqual(s.events.map(({ time }) => time), [1_000, 1_000, 1_000, 1_200, 1_500, 1_500]);
  // The wall clock was set back.
  s.runtime.clock.wallOffset = -600;
  await life.send(FrameType.records, [{ ...WORDS, time: -100 }]);
  assert.equal(s.events.at(-1)?.time, -100);
});

const FIGURES = { pssBytes: null, privateBytes: null, heapBytes: null, openFiles: null };
const RECEIPT = { ms: 1, released: [], errors: 0, modules: [], leftovers: null, before: FIGURES, after: FIGURES };

for (
  const [what, event, why] of [
    ["only a broker reports", { event: "broker.stopped", fields: { ms: 1 } }, "is none that a process reports"],
    [
      "is of the broker's log",
      { event: "log.lost", fields: { file: "a", lines: 1, reason: "b" } },
      "is none that a process reports",
    ],
    [
      "is of another module's process",
      { event: "process.failed", fields: { process: "billing", reason: "a", remedy: "b" } },
      "is of a process that is no worker of sla",
    ],
    [
      "is of its own process, of which its parent tells",
      { event: "process.ready", fields: { process: "sla", childPid: 1, ms: 1 } },
      "is of a process that is no worker of sla",
    ],
    ["has a duration that is a text", { event: "cleanup.done", fields: { ms: "1" } }, "has a wrong field ms"],
    ["has a duration beyond all numbers", { event: "cleanup.done", fields: { ms: 1e300 } }, "has a wrong field ms"],
    ["lacks a field", { event: "module.info", fields: {} }, "has a wrong field text"],
    [
      "has a text for its stack",
      { event: "command.error", fields: { command: "a", message: "b", stack: "c" } },
      "has a wrong field stack",
    ],
    [
      "has a stack without end",
      { event: "command.error", fields: { command: "a", message: "b", stack: Array(1_001).fill("") } },
      "has a wrong field stack",
    ],
    [
      "has a level of its own making",
      {
        event: "process.output",
        fields: { process: "sla-1", childPid: 1, stream: "stdout", text: "", level: "fatal" },
      },
      "has a wrong field level",
    ],
    [
      "has figures that are none",
      { event: "cleanup.receipt", fields: { ...RECEIPT, before: { ...FIGURES, openFiles: [] } } },
      "has a wrong field before",
    ],
    ["has no time", { time: "now" }, "has no time, pid, module or thread"],
  ] as const
) {
  test(`a records frame with an event that ${what} is refused with the reason, and the process lives`, async () => {
    const s = new Supervision();
    const life = await s.up();
    const made = { ...WORDS, ...event };
    await life.send(FrameType.records, [made]);
    assert.deepEqual(s.events, []);
    const text = JSON.stringify([made]).slice(0, 32);
    assert.deepEqual(s.lines().slice(2), [`sla: dropped 1 frame (event ${made.event} ${why}: ${text})`]);
    assert.deepEqual(life.signals, []);
  });
}

test("events of a process' workers, and of what it dropped of its broker, are taken", async () => {
  const s = new Supervision();
  const life = await s.up();
  const events = [
    { ...WORDS, time: 0, event: "process.ready", fields: { process: "sla-1", childPid: 7, ms: 1 } },
    { ...WORDS, time: 0, event: "process.dropped", fields: { process: "broker-master", what: "frame", count: 1 } },
    { ...WORDS, time: 0, event: "cleanup.receipt", fields: RECEIPT },
  ];
  await life.send(FrameType.records, events);
  assert.deepEqual(s.events, events);
});

test("a start that a peer calls failed needs a message only, or nothing of the error", async () => {
  for (
    const [error, reason] of [[{ message: "no host" }, "no host"], [{ message: 5, stack: null }, "Error"]] as const
  ) {
    const s = new Supervision({ restart: "always" });
    void s.supervisor.start();
    await settle();
    const { life } = s;
    await life.hello();
    await life.send(FrameType.notice, { kind: "failed", error, lasting: true });
    await life.exit({ code: 1, signal: null });
    const text = `sla will not be started again: start of the module failed: ${reason}; `;
    assert.ok(s.lines().some((line) => line.startsWith(text)), s.lines().join("\n"));
  }
});

test("a start that a process calls failed after it was ready is not the reason of its end", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  const error = { name: "Error", message: "it was billing", stack: "" };
  await life.send(FrameType.notice, { kind: "failed", error, lasting: true });
  await life.send(FrameType.notice, { kind: "cleaning", owner: "billing" });
  await life.exit({ code: 3, signal: null });
  assert.equal(
    s.lines()[2],
    "sla ended unexpectedly (pid 100, exit code 3, signal none): process exited with code 3",
  );
});

test("a reason that a process gives for closing its channel does not hide why brokkr killed it", async () => {
  const s = new Supervision({ restart: "never" });
  const life = await s.up();
  await life.send(FrameType.close, { reason: "the broker is broken" });
  for (let frame = 0; frame < 3; frame++) await life.send(FrameType.answers, [1]);
  await life.exit({ code: null, signal: "SIGKILL" });
  assert.match(s.lines().at(-2) ?? "", /: 3 frames in a row were refused$/);

  const said = new Supervision({ restart: "never" });
  const other = await said.up();
  other.link.close("Cannot read frame: its length is 0");
  await said.advance(1_000);
  assert.deepEqual(other.signals, ["SIGKILL"]);
  await other.exit({ code: null, signal: "SIGKILL" });
  assert.match(said.lines().at(-2) ?? "", /: Cannot read frame: its length is 0$/);
});

test("a receipt is taken once, and one that is none is refused", async () => {
  const s = new Supervision();
  const life = await s.up();
  await life.send(FrameType.notice, { kind: "ready", commands: [], cleanup: { ...RECEIPT, ms: 99 } });
  assert.equal((await s.supervisor.status()).cleanup?.ms, 1);

  const other = new Supervision();
  void other.supervisor.start();
  await other.advance(0);
  await other.life.hello();
  await other.life.send(FrameType.notice, { kind: "ready", commands: [], cleanup: { ...RECEIPT, released: 1 } });
  assert.equal(other.supervisor.state, "cleaning");
  assert.match(other.lines().at(-1) ?? "", /^sla: dropped 1 frame \(a notice "ready" with a wrong cleanup: /);
});

test("a process tells of its own workers only, with a state that there is", async () => {
  const s = new Supervision();
  const life = await s.up();
  const { name: _, ...status } = await s.supervisor.status();
  const named = (...names: string[]) => names.map((name) => ({ name, ...status }));
  await life.send(FrameType.notice, { kind: "status", request: 1, workers: named("billing", "sla-1", "sla-2") });
  assert.deepEqual(s.workers.map(({ name }) => name), ["sla-1"]);
  const workers = [{ name: "sla-1", ...status, state: "\u001b[2J" }];
  await life.send(FrameType.notice, { kind: "status", request: 2, workers });
  assert.equal(s.workers.length, 1);
  assert.match(s.lines().at(-1) ?? "", /^sla: dropped 1 frame \(a notice "status" with a wrong workers: /);
});
