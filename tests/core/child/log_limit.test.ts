import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { Link } from "../../../src/core/wire/link.ts";
import { FrameReporter, LineLimit } from "../../../src/core/log/reporter.ts";
import type { LogEvent } from "../../../src/core/log/events.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { ModuleHost } from "../../../src/core/child/module_host.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";
import { Peer } from "../program/peer.ts";
import { Supervision } from "./fake_process.ts";

const FIGURES = { pssBytes: null, privateBytes: null, heapBytes: null, openFiles: null };
const RECEIPT = { ms: 1, released: [], errors: 0, modules: [], leftovers: null, before: FIGURES, after: FIGURES };

const NO_TREE = { load: null, given: null, tree: null, descendants: "kill" } as const;

test("LineLimit gives each second its lines, and tells once a second how many were left out", async () => {
  const clock = new ManualClock();
  await clock.advance(12_345);
  const dropped: number[] = [];
  const limit = new LineLimit(clock, 3, (count) => dropped.push(count));
  const take = (count: number) => Array.from({ length: count }, () => limit.take()).filter(Boolean).length;
  assert.equal(take(5), 3);
  await clock.advance(999);
  assert.deepEqual([take(1), dropped], [0, []]);
  await clock.advance(1);
  assert.deepEqual([dropped, clock.timers], [[3], 0]);
  assert.equal(take(4), 3);
  clock.standStill(5_000);
  assert.equal(take(1), 1);
  assert.deepEqual([dropped, clock.timers], [[3, 1], 0]);
  assert.equal(take(3), 2);
  limit.end();
  limit.end();
  assert.deepEqual([dropped, clock.timers], [[3, 1, 1], 0]);
});

test("ctx.log writes its lines a second and no more, and the log says how many were left out", async () => {
  const runtime = new FakeRuntime();
  const [own, parents] = MemoryChannel.pair();
  const events: LogEvent[] = [];
  const linkOf = (channel: MemoryChannel, frame: (type: number, body: Uint8Array) => void) => {
    const ignore = { refused: () => {}, drained: () => {}, closed: () => {} };
    const frameLimit = 2 ** 24;
    return new Link(channel, runtime.clock, {
      frameLimit,
      events: { ...ignore, frame: (type, _, body) => frame(type, body) },
    });
  };
  linkOf(parents, (type, body) => {
    if (type === FrameType.records) events.push(...JSON.parse(new TextDecoder().decode(body)));
  });
  const reporter = new FrameReporter(runtime, linkOf(own, () => {}), {
    broker: "broker-master",
    product: "Shinken",
    aligned: false,
  });
  const { parent, setup: given } = new Supervision().spec;
  const output = { maxLinesPerSecond: 20, maxLineBytes: 8_192 };
  const setup = { wanted: [], ...parent.targets(), ...given, output };
  const module = new ModuleHost({
    runtime,
    role: {
      broker: "broker-master",
      module: "sla",
      worker: null,
      process: "sla",
      depth: 1,
      channel: "fd:3",
      ...NO_TREE,
    },
    program: undefined,
    reporter,
    setup,
    send: () => {},
    parent: () => Promise.reject(new Error("nobody calls")),
  });
  reporter.want(["module.info", "module.error", "process.dropped"]);
  const sla = defineModule({
    name: "sla",
    commands: {},
    start(ctx) {
      for (let line = 1; line <= 5_000; line++) {
        ctx.log.debug("nobody wants it");
        if (line % 2 === 0) ctx.log.info(`line ${line}`);
        else ctx.log.error(`line ${line}`);
      }
    },
    stop: (ctx) => Array.from({ length: 25 }).forEach(() => ctx.log.info("bye")),
  });
  await module.start(sla, [sla]);
  await settle();
  assert.deepEqual(events.map(({ fields }) => "text" in fields && fields.text), [
    ...Array.from({ length: 20 }, (_, index) => `line ${index + 1}`),
  ]);
  await runtime.clock.advance(1_000);
  const what = "lines of ctx.log (limit: 20 a second)";
  assert.deepEqual(events.splice(0).slice(20).map(({ event, module, fields }) => ({ event, module, fields })), [
    { event: "process.dropped", module: "sla", fields: { process: "sla", what, count: 4_980 } },
  ]);
  await module.stop();
  await settle();
  assert.deepEqual(events.map(({ event }) => event), [
    ...Array.from({ length: 20 }, () => "module.info"),
    "process.dropped",
  ]);
  assert.deepEqual(events.at(-1)?.fields, { process: "sla", what, count: 5 });
  assert.equal(runtime.clock.timers, 0);
});

test("a process that keeps to no limit of lines is held to twice its limit, each worker by itself", async () => {
  const s = new Supervision();
  const life = await s.up();
  const event = (module: string) => {
    return { event: "module.info", time: 0, pid: 1, module, thread: "MainThread", fields: { text: "flood" } };
  };
  await life.send(FrameType.records, Array.from({ length: 3_000 }, () => event("sla")));
  await life.send(FrameType.records, Array.from({ length: 1_001 }, () => event("sla-1")));
  const of = (module: string) => s.events.filter((found) => found.module === module).length;
  assert.deepEqual([of("sla"), of("sla-1")], [1_000, 1_000]);
  await s.advance(1_000);
  assert.deepEqual(s.lines().slice(2), [
    "sla: dropped 2000 lines that sla reported (limit: 500 a second)",
    "sla: dropped 1 lines that sla-1 reported (limit: 500 a second)",
  ]);
  await life.send(FrameType.records, [event("sla")]);
  assert.equal(of("sla"), 1_001);
});

test("a process that sends what can't be read, between what can, fills the log with 100 lines a second and no more", async () => {
  const s = new Supervision();
  const life = await s.up();
  for (let count = 0; count < 150; count++) {
    await life.send(FrameType.records, 7);
    await life.send(FrameType.ping, 1);
  }
  const lines = s.lines().slice(2);
  assert.equal(lines.length, 100);
  assert.equal(lines[0], "sla: dropped 1 frame (a records frame is not a list of events: 7)");
  await s.advance(1_000);
  assert.equal(s.lines().at(-1), "sla: dropped 50 other frames or messages (limit: 100 lines a second)");
  assert.deepEqual(life.signals, []);
});

test("an event that a process reports is kept up to 256 Ki characters, texts and lists together", async () => {
  const s = new Supervision();
  const life = await s.up();
  const stack = Array.from({ length: 1_000 }, () => "x".repeat(10_000));
  const fields = { command: "c".repeat(60_000), message: "m".repeat(65_537), stack };
  const head = { time: 0, pid: 1, module: "sla", thread: "t".repeat(100_000) };
  await life.send(FrameType.records, [
    { event: "command.error", ...head, fields },
    { event: "module.info", ...head, fields: { text: "x".repeat(1_000_000) } },
    { event: "cleanup.receipt", ...head, fields: { ...RECEIPT, released: Array.from({ length: 100_000 }, () => "") } },
  ]);
  assert.equal(s.events.length, 3);
  for (const event of s.events) {
    assert.ok(JSON.stringify(event).length < 330_000, `${event.event}: ${JSON.stringify(event).length}`);
  }
  const [error] = s.events;
  assert.ok(error !== undefined && error.event === "command.error");
  assert.deepEqual([error.fields.command, error.fields.message], [fields.command, fields.message]);
  assert.deepEqual(error.fields.stack.slice(0, 13), stack.slice(0, 13));
});

test("what a program answers to no request is told in a line of bounded length", async () => {
  const peer = new Peer();
  const answer = { id: "i".repeat(100_000), error: { code: 1, message: "m".repeat(100_000) } };
  await peer.says(`${JSON.stringify(answer)}\n`);
  const [id, message] = ["i".repeat(1_000), "m".repeat(1_000)];
  assert.deepEqual(peer.events, [`dropped answer to no request (id "${id}…", error "${message}…")`]);
});
