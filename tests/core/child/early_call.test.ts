import assert from "node:assert/strict";
import { test } from "node:test";
import { serveProcess } from "../../../src/core/child/serve.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { CODECS, DEFAULT_FRAME_LIMIT, FrameType, readJson } from "../../../src/core/wire/frame.ts";
import { Link } from "../../../src/core/wire/link.ts";
import { helloOf, helloText } from "../../../src/core/wire/messages.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";
import { Supervision } from "./fake_process.ts";

const ROLE = {
  broker: "b",
  module: "sla",
  worker: null,
  process: "sla",
  depth: 1,
  channel: "memory",
  load: null,
  given: null,
  tree: null,
  descendants: "kill",
} as const;

/** The parent's end of a channel, and what the frames of one type say that come there. */
function parentLink(channel: MemoryChannel, wanted: number): [link: Link, bodies: unknown[]] {
  const bodies: unknown[] = [];
  const link = new Link(channel, new ManualClock(), {
    frameLimit: DEFAULT_FRAME_LIMIT,
    events: {
      frame: (type, _flags, body) => void (type === wanted && bodies.push(readJson(body))),
      refused: (reason) => assert.fail(reason),
      drained() {},
      closed() {},
    },
  });
  return [link, bodies];
}

test("a call that comes before its process is ready waits, and runs once after the start hook", async () => {
  const [near, far] = MemoryChannel.pair();
  const runtime = new FakeRuntime();
  runtime.parentChannel = () => Promise.resolve(far);
  const ran: string[] = [];
  let endStart = () => {};
  const mayStart = new Promise<void>((resolve) => endStart = resolve);
  const sla = defineModule({
    name: "sla",
    commands: { size: () => ran.push("size") },
    start: () => mayStart.then(() => void ran.push("start")),
  });
  const load = () => Promise.resolve([sla]);
  void serveProcess({ runtime, role: ROLE, load, program: undefined, product: "Shinken", aligned: false });
  const [link, answers] = parentLink(near, FrameType.answers);
  await settle();
  const { parent, setup: given } = new Supervision().spec;
  const setup = { ...parent.targets(), ...given, wanted: [] };
  link.send(FrameType.hello, helloText(helloOf(runtime, { broker: "b", process: "b", codecs: CODECS, setup })));
  // Both attempts, and another call.
  link.send(FrameType.calls, '[1,[1],0,["size"],[[]],0]');
  link.send(FrameType.calls, '[1,[1,2],[2,1],["size","size"],[[],[]],0]');
  link.flush();
  await settle();
  assert.deepEqual([ran, answers], [[], []]);
  endStart();
  await settle();
  assert.deepEqual(ran, ["start", "size", "size"]);
  assert.deepEqual(answers, [[[1, 2], 0, 0, [2, 3]]]);
});

test("a hello that its process cannot take ends the channel, and the reason goes to the parent", async () => {
  const [near, far] = MemoryChannel.pair();
  const runtime = new FakeRuntime();
  runtime.parentChannel = () => Promise.resolve(far);
  const load = () => assert.fail("nothing is loaded");
  const exits: number[] = [];
  const end = (code: number) => void exits.push(code);
  void serveProcess({ runtime, role: ROLE, load, program: undefined, product: "Shinken", aligned: false, end });
  const [link, reasons] = parentLink(near, FrameType.close);
  await settle();
  const hello = helloOf(runtime, { broker: "b", process: "b", codecs: CODECS });
  link.send(FrameType.hello, JSON.stringify({ ...hello, setup: { timeoutMs: "1s" } }));
  link.flush();
  await settle();
  assert.deepEqual([reasons, exits], [[{ reason: "a hello with a wrong setup" }], [1]]);
});
