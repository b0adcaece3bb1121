import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlPeer } from "../../../src/core/control/server.ts";
import { FrameReader, FrameType } from "../../../src/core/wire/frame.ts";
import type { Handler } from "../../../src/core/module/definition.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { frame } from "../frames.ts";
import { MemoryChannel } from "../memory_channel.ts";

const HELLO = frame(FrameType.hello, JSON.stringify({ protocol: 1, version: "0.1.0" }));

/** A client of the control socket that writes frames by hand, and what the broker makes of it. */
class RawClient {
  readonly runtime = new FakeRuntime();
  readonly far: MemoryChannel;
  readonly near: MemoryChannel;
  readonly peer: ControlPeer;
  readonly dropped: string[] = [];
  readonly answers: unknown[] = [];
  readonly reasons: unknown[] = [];
  ended = 0;

  constructor(commands: Record<string, Handler> = {}) {
    [this.near, this.far] = MemoryChannel.pair();
    this.peer = new ControlPeer(this.near, {
      runtime: this.runtime,
      broker: "b",
      commands: new Map(Object.entries(commands)),
      dropped: (what) => this.dropped.push(what),
      ended: () => this.ended++,
    });
    const reader = new FrameReader(2 ** 24, (type, _flags, body) => {
      const value: unknown = JSON.parse(new TextDecoder().decode(body));
      if (type === FrameType.answers) this.answers.push(value);
      if (type === FrameType.close) this.reasons.push(value);
    });
    this.far.open({ data: (chunk) => reader.push(chunk), drained: () => {}, closed: () => {} });
    this.near.deliver(HELLO);
  }

  async says(...frames: readonly Uint8Array[]): Promise<void> {
    for (const bytes of frames) this.near.deliver(bytes);
    await this.runtime.clock.advance(0);
  }
}

function refusal(reason: string): unknown {
  return { name: "BodyError", message: `the frame of the call was refused: ${reason}`, stack: "" };
}

const WRONG_TYPE = "calls frame: call 1 has a wrong type in a column";

for (
  const [what, flags, body, reason] of [
    ["is not JSON behind its ids", 0, '[1, [5, 6],0,["status"],[[NaN]],0]', "the body is not valid JSON"],
    ["is cut off", 0, '[1,[5,6],0,["status","sta', "the body is not valid JSON"],
    ["is not UTF-8 behind its ids", 0, '[1,[5,6],0,["\xff"', "the body is not UTF-8"],
    ["lacks its columns", 0, "[1,[5,6]]", "calls frame: columns are missing"],
    ["has columns of other lengths", 0, '[1,[5,6],0,["a"],[[],[]],0]', "calls frame: columns differ in length"],
    ["has a command that is no text", 0, '[1,[5,6],0,["a",7],[[],[]],0]', WRONG_TYPE],
    [
      "has an attachment in a wrong place",
      1,
      '\0\0\0\x27[1,[5,6],0,["a","a"],[[],[]],0,[[0,9]]]',
      "attachments: a place is wrong",
    ],
  ] as const
) {
  test(`a frame to the control socket that ${what} is told in a line, and its calls are answered with the reason`, async () => {
    const c = new RawClient({ status: () => "fine" });
    const bytes = Uint8Array.from(body, (character) => character.charCodeAt(0));
    await c.says(frame(FrameType.calls, bytes, flags));
    assert.deepEqual(c.answers, [[[5, 6], 0, [2, 2], [refusal(reason), refusal(reason)]]]);
    assert.equal(c.dropped.length, 1);
    assert.ok(c.dropped[0]?.startsWith(`frame (${reason}: `), String(c.dropped));
    c.answers.length = 0;
    await c.says(frame(FrameType.calls, '[5,[5],[2],["status"],[[]],0]'));
    assert.deepEqual(c.answers, [[[5], [2], 0, ["fine"]]], "a second attempt that can be read runs");
    assert.deepEqual([c.dropped.length, c.ended, c.runtime.clock.timers], [1, 0, 1]);
    c.peer.close(null);
    assert.equal(c.runtime.clock.timers, 0);
  });
}

test("a refused frame gives a call that runs no second answer", async () => {
  let end = () => {};
  const c = new RawClient({ wait: () => new Promise<void>((resolve) => end = resolve) });
  await c.says(frame(FrameType.calls, '[1,[5],0,["wait"],[[]],0]'), frame(FrameType.calls, "[1,[5,6],0,7]"));
  assert.deepEqual(c.answers, [[[6], 0, [2], [refusal("calls frame: columns are missing")]]]);
  end();
  await c.runtime.clock.advance(0);
  assert.deepEqual(c.answers.at(-1), [[5], 0, [1], [null]]);
  c.peer.close(null);
});

test("a client of the control socket that breaks the framing, or sends nothing that can be read, is cut off and told in a line", async () => {
  const noise = new RawClient();
  await noise.says(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const reason = "Cannot read frame: it does not begin with the bytes 62 6b";
  assert.deepEqual([noise.dropped, noise.reasons, noise.ended], [[`connection (${reason})`], [{ reason }], 1]);
  const wrong = new RawClient();
  await wrong.says(...["no", "[]", "7"].map((body) => frame(FrameType.calls, body)));
  assert.deepEqual(wrong.dropped.map((what) => what.slice(0, what.indexOf(" "))), [
    "frame",
    "frame",
    "frame",
    "connection",
  ]);
  assert.equal(wrong.dropped[3], "connection (3 frames in a row were refused)");
  assert.deepEqual([wrong.ended, wrong.runtime.clock.timers], [1, 0]);
});

test("a client of the control socket that ends its connection, or is told to go, is no line", async () => {
  const gone = new RawClient();
  gone.far.close();
  await gone.runtime.clock.advance(0);
  const told = new RawClient();
  told.peer.close("too many clients are connected to the broker");
  await told.runtime.clock.advance(0);
  assert.deepEqual([gone.ended, told.ended, gone.dropped, told.dropped], [1, 1, [], []]);
});

test("a client of the control socket that asks and reads no answers is cut off before they fill the memory", async () => {
  let runs = 0;
  const c = new RawClient({ status: () => `${++runs}${"x".repeat(100_000)}` });
  c.near.stick();
  for (let first = 1; c.ended === 0 && first < 40_000; first += 1_000) {
    const ids = Array.from({ length: 1_000 }, (_, index) => first + index);
    await c.says(frame(FrameType.calls, JSON.stringify([1, ids, 0, ids.map(() => "status"), ids.map(() => []), 0])));
  }
  assert.deepEqual([c.ended, c.near.closed], [1, true]);
  assert.deepEqual(c.dropped, ["connection (the peer calls and does not read its answers)"]);
  assert.ok(runs < 1_100, `${runs} runs`);
  assert.ok(c.near.unsentBytes < 150 * 1024 * 1024, `${c.near.unsentBytes} bytes`);
  assert.equal(c.runtime.clock.timers, 0);
});

test("an answer over the limit of a question is sent, as large as a module's", async () => {
  const client = new RawClient({ huge: () => "x".repeat(2_000_000) });
  await client.says(frame(FrameType.calls, JSON.stringify([0, [1], 0, ["huge"], [[]], 0])));
  assert.deepEqual(client.answers, [[[1], 0, 0, ["x".repeat(2_000_000)]]]);
  assert.deepEqual([client.dropped, client.ended], [[], 0]);
});
