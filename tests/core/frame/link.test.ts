import assert from "node:assert/strict";
import { test } from "node:test";
import { readJson } from "../../../src/core/frame/batch.ts";
import { FrameType, HEADER_BYTES } from "../../../src/core/frame/header.ts";
import { Link } from "../../../src/core/frame/link.ts";
import { joinBytes } from "../../../src/core/bytes.ts";
import { frame, header } from "../frames.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

/** A link whose other end is bare: it writes bytes and sees bytes. */
function bareLink(frameLimit = 1000) {
  const clock = new ManualClock();
  const [end, peer] = MemoryChannel.pair();
  const seen = { frames: [] as string[], refused: [] as string[], closed: [] as (string | null)[], drained: 0 };
  const link = new Link(end, clock, {
    frameLimit,
    events: {
      frame: (type, _flags, body) => void seen.frames.push(`${type} ${JSON.stringify(readJson(body))}`),
      refused: (reason, excerpt) => void seen.refused.push(`${reason} | ${excerpt}`),
      drained: () => void seen.drained++,
      closed: (reason) => void seen.closed.push(reason),
    },
  });
  return { clock, end, peer, link, seen, receive: (bytes: Uint8Array) => end.deliver(bytes) };
}

function closeFrame(end: MemoryChannel): string {
  return new TextDecoder().decode(joinBytes(end.written).subarray(HEADER_BYTES));
}

test("body that is not valid JSON is refused with at most 32 escaped bytes, and the channel is kept", async () => {
  const { end, seen, receive } = bareLink();
  receive(frame(2, "{\n\x00\x1b[31mé not JSON, and longer than that"));
  receive(frame(2, "[1]"));
  await settle();
  assert.deepEqual(seen.refused, ["the body is not valid JSON | {\\x0a\\x00\\x1b[31m\\xc3\\xa9 not JSON, and longer "]);
  assert.deepEqual(seen.frames, ["2 [1]"]);
  assert.deepEqual(seen.closed, []);
  assert.equal(end.closed, false);
});

test("body that is not UTF-8 is refused", () => {
  const { seen, receive } = bareLink();
  receive(frame(2, Uint8Array.of(0x5b, 0xff, 0x5d)));
  assert.deepEqual(seen.refused, ["the body is not UTF-8 | [\\xff]"]);
});

test("three refused bodies in a row close the link with a reason, also within one chunk", async () => {
  const { end, seen, receive } = bareLink();
  const bad = frame(2, "no");
  receive(joinBytes([bad, bad, frame(2, "[1]"), bad, bad]));
  assert.deepEqual(seen.closed, []);
  receive(joinBytes([bad, frame(2, "[2]")]));
  await settle();
  assert.equal(seen.refused.length, 5);
  assert.deepEqual(seen.frames, ["2 [1]"]);
  assert.deepEqual(seen.closed, ["3 frames in a row were refused"]);
  assert.equal(closeFrame(end), '{"reason":"3 frames in a row were refused"}');
  assert.equal(end.closed, true);
});

for (
  const [what, bytes, reason] of [
    ["wrong magic", new TextEncoder().encode("Listening on port 80"), "it does not begin with the bytes 62 6b"],
    ["a length of 2 GiB", header(2, 2 ** 31), "its length is 2147483648 and the limit is 1000"],
    ["a length of 0xFFFFFFFF", header(2, 0xffffffff), "its length is 4294967295 and the limit is 1000"],
    ["a length of 0", header(2, 0), "its length is 0"],
  ] as const
) {
  test(`${what} closes the link with a reason, and nothing after it is read`, async () => {
    const { clock, end, seen, receive } = bareLink();
    receive(bytes);
    receive(frame(2, "[1]"));
    await settle();
    assert.deepEqual(seen, { frames: [], refused: [], closed: [`Cannot read frame: ${reason}`], drained: 0 });
    assert.equal(end.closed, true);
    assert.equal(clock.timers, 0);
  });
}

test("unknown frame types are ignored, named once each and counted, and never close the link", () => {
  const { link, seen, receive } = bareLink();
  for (let count = 0; count < 5; count++) receive(frame(77, "future\n"));
  receive(frame(200, "x"));
  receive(frame(2, "[1]"));
  assert.deepEqual(seen.refused, [
    "unknown frame type 77, ignored from now on | future\\x0a",
    "unknown frame type 200, ignored from now on | x",
  ]);
  assert.deepEqual([...link.ignored], [[77, 5], [200, 1]]);
  assert.deepEqual(seen.frames, ["2 [1]"]);
  assert.deepEqual(seen.closed, []);
});

for (
  const [what, begin] of [
    ["half a header", frame(2, "[1]").slice(0, 5)],
    ["a header without its body", frame(2, "[1]").slice(0, 8)],
    ["half a body", frame(2, "[1]").slice(0, 10)],
  ] as const
) {
  test(`${what} and then silence closes the link after 10 s, named`, async () => {
    const { clock, end, seen, receive } = bareLink();
    receive(begin);
    await clock.advance(9_999);
    assert.deepEqual(seen.closed, []);
    await clock.advance(1);
    assert.deepEqual(seen.closed, ["a frame was begun and not ended in 10s"]);
    assert.equal(end.closed, true);
    assert.equal(clock.timers, 0);
  });
}

test("frame whose bytes keep coming is waited for, however long it takes, and leaves no timer", async () => {
  const { clock, seen, receive } = bareLink(16_000_000);
  const bytes = frame(2, JSON.stringify(["x".repeat(1_000_000)]));
  for (let at = 0; at < bytes.length; at += 70_000) {
    receive(bytes.slice(at, at + 70_000));
    await clock.advance(9_000);
  }
  assert.equal(seen.frames.length, 1);
  assert.deepEqual(seen.closed, []);
  assert.equal(clock.timers, 0);
});

test("what a peer says after half a frame, a pong each 5 s, does not keep the link open", async () => {
  const { clock, seen, receive } = bareLink(16_000_000);
  receive(frame(2, "[1]").slice(0, 5));
  for (let round = 0; round < 2; round++) {
    receive(frame(FrameType.pong, "1"));
    await clock.advance(5_000);
  }
  assert.deepEqual(seen.closed, ["a frame was begun and not ended in 10s"]);
  assert.equal(clock.timers, 0);
});

test("frames that go on one behind the other are no frame that is not ended", async () => {
  const { clock, seen, receive } = bareLink();
  const bytes = frame(2, "[1]");
  receive(bytes.slice(0, 3));
  for (let round = 0; round < 10; round++) {
    receive(Uint8Array.of(...bytes.slice(3), ...bytes.slice(0, 3)));
    await clock.advance(4_000);
  }
  assert.deepEqual(seen.closed, []);
  assert.equal(seen.frames.length, 10);
});

test("end of the stream inside a frame closes the link once and leaves no timer", async () => {
  const { clock, peer, seen, receive } = bareLink();
  receive(frame(2, "[1]").slice(0, 9));
  peer.close();
  await settle();
  assert.deepEqual(seen.closed, [null]);
  assert.equal(clock.timers, 0);
});

test("frames of one turn leave in one write, in their order", async () => {
  const { end, link } = bareLink();
  link.send(FrameType.ping, "1");
  link.sendParts(FrameType.calls, { flags: 1, parts: [Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)] });
  link.schedule(() => link.send(FrameType.pong, "é"));
  await settle();
  assert.equal(end.written.length, 1);
  assert.deepEqual(
    joinBytes(end.written),
    joinBytes([frame(5, "1"), frame(2, Uint8Array.of(1, 2, 3), 1), frame(6, "é")]),
  );
});

test("what was written is not touched by what is sent later, over many slabs", async () => {
  const { end, link } = bareLink(300_000);
  const frames: Uint8Array[] = [];
  for (let index = 0; index < 200; index++) {
    const body = String(index % 10).repeat(1 + (index * 977) % 5000);
    link.send(FrameType.records, body);
    frames.push(frame(FrameType.records, body));
    if (index === 100) {
      const large = new Uint8Array(200_000).fill(7);
      link.sendParts(FrameType.calls, { flags: 0, parts: [large] });
      frames.push(frame(FrameType.calls, large));
    }
    if (index % 7 === 0) await settle();
  }
  await settle();
  assert.deepEqual(joinBytes(end.written), joinBytes(frames));
});

test("a part that stays as it is goes to the transport without a copy, and in its place", async () => {
  const { end, link } = bareLink(300_000);
  const [head, steady, tail] = [Uint8Array.of(1, 2), new Uint8Array(100_000).fill(7), Uint8Array.of(3)];
  const whole = frame(FrameType.calls, joinBytes([head, steady, tail]));
  link.send(FrameType.ping, "1");
  link.sendParts(FrameType.calls, { flags: 0, parts: [head, steady, tail], steady: new Set([steady]) });
  head.fill(0);
  tail.fill(0);
  link.send(FrameType.pong, "1");
  await settle();
  assert.ok(end.written.includes(steady));
  assert.deepEqual(joinBytes(end.written), joinBytes([frame(5, "1"), whole, frame(6, "1")]));
});

test("a frame with a part that stays as it is can be over the limit too, and none of it is sent", async () => {
  const { end, link, seen } = bareLink();
  const steady = new Uint8Array(999);
  link.sendParts(FrameType.calls, { flags: 0, parts: [Uint8Array.of(1, 2), steady], steady: new Set([steady]) });
  await settle();
  assert.equal(end.written.length, 0);
  assert.equal(seen.refused.length, 1);
});

test("frame over the limit is not sent, since the peer would end the link over it", async () => {
  const { end, link, seen } = bareLink();
  link.send(FrameType.records, "x".repeat(1001));
  link.sendParts(FrameType.calls, { flags: 0, parts: [new Uint8Array(600), new Uint8Array(401)] });
  link.send(FrameType.records, "x".repeat(1000));
  await settle();
  assert.deepEqual(joinBytes(end.written), frame(FrameType.records, "x".repeat(1000)));
  assert.deepEqual(seen.refused, [
    "not sent: a frame of type 7 has 1001 bytes and the limit is 1000 | ",
    "not sent: a frame of type 2 has 1001 bytes and the limit is 1000 | ",
  ]);
});

test("close() sends what was gathered, then the reason, and nothing after it", async () => {
  const { end, link, seen } = bareLink();
  link.schedule(() => link.send(FrameType.answers, "last"));
  link.close("enough");
  link.close("again");
  link.send(FrameType.ping, "1");
  await settle();
  assert.deepEqual(joinBytes(end.written), joinBytes([frame(3, "last"), frame(9, '{"reason":"enough"}')]));
  assert.deepEqual(seen.closed, ["enough"]);
});

test("isOver() brings drained, whether the transport kept the bytes or took them at once", async () => {
  for (const stuck of [false, true]) {
    const { end, link, seen } = bareLink();
    let once = 0;
    if (stuck) end.stick();
    link.send(FrameType.records, "x".repeat(500));
    assert.equal(link.isOver(509), false);
    assert.equal(link.isOver(508), true);
    link.onceDrained(() => once++);
    await settle();
    assert.equal(once, stuck ? 0 : 1);
    if (stuck) end.release();
    assert.deepEqual([once, seen.drained], [1, 1]);
  }
});
