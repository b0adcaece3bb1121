import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType, HEADER_BYTES, joinBytes } from "../../../src/core/wire/frame.ts";
import { frame, header } from "../frames.ts";
import { settle } from "../manual_clock.ts";
import type { MemoryChannel } from "../memory_channel.ts";
import { bareLink } from "./bare_link.ts";

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

test("the time of a frame that has begun does not run while nothing can come", async () => {
  const { clock, link, seen, receive } = bareLink();
  receive(frame(2, "[1]").slice(0, 5));
  await clock.advance(9_000);
  link.hold(true);
  await clock.advance(60_000);
  assert.deepEqual(seen.closed, []);
  link.hold(false);
  await clock.advance(9_000);
  receive(frame(2, "[1]").slice(5));
  assert.deepEqual([seen.frames, clock.timers], [["2 [1]"], 0]);
  link.hold(true);
  link.hold(false);
  assert.equal(clock.timers, 0);
  receive(frame(2, "[1]").slice(0, 5));
  link.hold(true);
  link.hold(false);
  await clock.advance(10_000);
  assert.deepEqual(seen.closed, ["a frame was begun and not ended in 10s"]);
});

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
