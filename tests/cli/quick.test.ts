import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asking } from "../../src/runtime/asking.ts";
import { type Asked, quick } from "../../src/cli/quick.ts";
import { FrameReader, FrameType, PROTOCOL_VERSION } from "../../src/core/wire/frame.ts";
import { frame } from "../core/frames.ts";
import { ManualClock } from "../core/manual_clock.ts";
import { MemoryChannel } from "../core/memory_channel.ts";

test("brokkr call leaves to the whole command line what it can't print, and the call that it made is not made again", async () => {
  const [near, far] = MemoryChannel.pair();
  let calls = 0;
  const reader = new FrameReader(10_000, (type) => {
    if (type === FrameType.hello) {
      far.write(frame(FrameType.hello, JSON.stringify({ protocol: PROTOCOL_VERSION, codecs: ["rich"] })));
    }
    if (type !== FrameType.calls) return;
    calls++;
    far.write(frame(FrameType.answers, '[[1],0,0,[{"ok":true,"value":{"value":"hello","attempts":1,"ms":2}}]]'));
  });
  far.open({ data: (chunk) => reader.push(chunk), drained: () => {}, closed: () => {} });
  const rest: (Asked | undefined)[] = [];
  const asking: Asking = {
    name: "node",
    version: "1",
    pid: 7,
    clock: new ManualClock(),
    files: { folder: () => "/run/brokkr", list: () => ["shop.sock"], remove: () => {} },
    connect: () => Promise.resolve(near),
    variable: () => undefined,
    onSignal: () => () => {},
    terminal: () => {
      throw new Error("no size");
    },
    write: () => {},
    exit: () => {
      throw new Error("it ended");
    },
  };
  await quick(asking, ["call", "sla", "greet", "you"], (asked) => Promise.resolve(void rest.push(asked)));
  assert.equal(calls, 1);
  assert.equal(rest.length, 1);
  assert.ok(rest[0] !== undefined && "outcome" in rest[0]);
});
