import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType, FrameWriter, HEADER_BYTES, joinBytes } from "../../../src/core/wire/frame.ts";
import { frame } from "../frames.ts";
import { Link } from "../../../src/core/wire/link.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";
import { bareLink } from "./bare_link.ts";

test("frames of one turn leave in one write, in their order", async () => {
  const { end, link } = bareLink();
  link.send(FrameType.ping, "1");
  link.sendPacked(FrameType.calls, { flags: 1, body: [Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)] });
  link.schedule(() => link.send(FrameType.pong, "é"));
  await settle();
  assert.equal(end.written.length, 1);
  assert.deepEqual(
    joinBytes(end.written),
    joinBytes([frame(5, "1"), frame(2, Uint8Array.of(1, 2, 3), 1), frame(6, "é")]),
  );
});

test("flush() writes from leastWrite on within a turn, and what is less leaves at the end of the turn or with close()", async () => {
  const { end, link } = bareLink(1000, { leastWrite: 20 });
  const gathered = () => joinBytes(end.written);
  link.schedule(() => link.send(FrameType.ping, "1"));
  link.flush();
  assert.deepEqual([end.written.length, link.unsentBytes], [0, 9]);
  link.send(FrameType.pong, "é");
  link.flush();
  assert.equal(end.written.length, 0);
  link.send(FrameType.ping, "2");
  link.flush();
  assert.deepEqual(gathered(), joinBytes([frame(5, "1"), frame(6, "é"), frame(5, "2")]));
  link.send(FrameType.ping, "3");
  link.flush();
  await settle();
  assert.deepEqual([end.written.length, link.unsentBytes], [2, 0]);
  link.send(FrameType.ping, "4");
  link.flush();
  link.close(null);
  assert.equal(end.written.length, 3);
});

test("what a frame's handler sends leaves at the end of the turn, and at once where the handler flushes it", async () => {
  const [end, peer] = MemoryChannel.pair();
  const events = { refused() {}, drained() {}, closed() {} };
  let flushes = true;
  const link: Link = new Link(end, new ManualClock(), {
    frameLimit: 1000,
    events: {
      ...events,
      frame(): void {
        link.schedule(() => link.send(FrameType.pong, "1"));
        if (flushes) link.flush();
        else link.send(FrameType.ping, "2");
      },
    },
  });
  peer.open({ data() {}, drained() {}, closed() {} });
  end.deliver(frame(FrameType.ping, "1"));
  assert.deepEqual(end.written, [frame(FrameType.pong, "1")]);
  flushes = false;
  end.deliver(joinBytes([frame(FrameType.ping, "1"), frame(FrameType.ping, "1")]));
  assert.equal(end.written.length, 1);
  await settle();
  const rest = [
    frame(FrameType.ping, "2"),
    frame(FrameType.ping, "2"),
    frame(FrameType.pong, "1"),
    frame(FrameType.pong, "1"),
  ];
  assert.deepEqual(end.written.slice(1), [joinBytes(rest)]);
  link.send(FrameType.ping, "3");
  await settle();
  assert.deepEqual(end.written.slice(2), [frame(FrameType.ping, "3")]);
});

for (const isTaken of [true, false]) {
  test(`FrameWriter writes ${isTaken ? "to the same memory again" : "to new memory"} within a turn where the channel ${isTaken ? "has taken" : "still holds"} what was written`, () => {
    const written: Uint8Array[] = [];
    const write = (bytes: Uint8Array) => void written.push(bytes);
    const channel = { write, unsentBytes: isTaken ? 0 : 1, open() {}, close() {}, abort() {} };
    const writer = new FrameWriter(channel, 100_000);
    for (let count = 0; count < 10; count++) writer.text(FrameType.records, "x".repeat(30_000));
    writer.writeOut();
    assert.equal(new Set(written.map(({ buffer }) => buffer)).size, isTaken ? 1 : written.length);
    assert.equal(written.reduce((sum, { length }) => sum + length, 0), 10 * (HEADER_BYTES + 30_000));
  });
}

test("what was written is not touched by what is sent later, over many slabs", async () => {
  const { end, link } = bareLink(300_000);
  const frames: Uint8Array[] = [];
  for (let index = 0; index < 200; index++) {
    const body = String(index % 10).repeat(1 + (index * 977) % 5000);
    link.send(FrameType.records, body);
    frames.push(frame(FrameType.records, body));
    if (index === 100) {
      const large = new Uint8Array(200_000).fill(7);
      link.sendPacked(FrameType.calls, { flags: 0, body: [large] });
      frames.push(frame(FrameType.calls, large));
    }
    if (index % 7 === 0) await settle();
  }
  await settle();
  assert.deepEqual(joinBytes(end.written), joinBytes(frames));
});

test("memory of frames is used again when they are out, and not before", async () => {
  const { end, peer, link } = bareLink();
  const arrived: Uint8Array[] = [];
  peer.open({ data: (chunk) => void arrived.push(chunk.slice()), drained() {}, closed() {} });
  const bodies = ["11", "22", "33", "44", "55", "66"];
  const send = async (body: string) => {
    link.send(FrameType.records, body);
    await settle();
  };
  await send("11");
  end.stick();
  for (const body of bodies.slice(1, 4)) await send(body);
  const places = end.handed.map(({ buffer, byteOffset }) => ({ buffer, byteOffset }));
  assert.deepEqual(places.map(({ byteOffset }) => byteOffset), [0, 0, 10, 20]);
  end.release();
  for (const body of bodies.slice(4)) await send(body);
  assert.deepEqual(end.handed.slice(4).map(({ byteOffset }) => byteOffset), [0, 0]);
  assert.ok(end.handed.every(({ buffer }) => buffer === places[0]?.buffer));
  assert.deepEqual(joinBytes(arrived), joinBytes(bodies.map((body) => frame(FrameType.records, body))));
});

test("a part that stays as it is goes to the transport without a copy, and in its place", async () => {
  const { end, link } = bareLink(300_000);
  const [head, steady, tail] = [Uint8Array.of(1, 2), new Uint8Array(100_000).fill(7), Uint8Array.of(3)];
  const whole = frame(FrameType.calls, joinBytes([head, steady, tail]));
  link.send(FrameType.ping, "1");
  link.sendPacked(FrameType.calls, { flags: 0, body: [head, steady, tail] });
  head.fill(0);
  tail.fill(0);
  link.send(FrameType.pong, "1");
  await settle();
  assert.ok(end.handed.includes(steady));
  assert.deepEqual(joinBytes(end.written), joinBytes([frame(5, "1"), whole, frame(6, "1")]));
});

test("a frame with a part that stays as it is can be over the limit too, and none of it is sent", async () => {
  const { end, link, seen } = bareLink();
  const steady = new Uint8Array(999);
  link.sendPacked(FrameType.calls, { flags: 0, body: [Uint8Array.of(1, 2), steady] });
  await settle();
  assert.equal(end.written.length, 0);
  assert.equal(seen.refused.length, 1);
});

test("frame over the limit is not sent, since the peer would end the link over it", async () => {
  const { end, link, seen } = bareLink();
  link.send(FrameType.records, "x".repeat(1001));
  link.sendPacked(FrameType.calls, { flags: 0, body: [new Uint8Array(600), new Uint8Array(401)] });
  link.send(FrameType.records, "x".repeat(1000));
  await settle();
  assert.deepEqual(joinBytes(end.written), frame(FrameType.records, "x".repeat(1000)));
  assert.deepEqual(seen.refused, [
    "not sent: a frame of type 7 has 1001 bytes and the limit is 1000 | ",
    "not sent: a frame of type 2 has 1001 bytes and the limit is 1000 | ",
  ]);
});

for (const type of [FrameType.hello, FrameType.notice]) {
  test(`frame of type ${type} over the limit ends the link, since the peer would wait for it for ever`, async () => {
    const { end, link, seen } = bareLink();
    link.send(type, "x".repeat(1001));
    await settle();
    const reason = `not sent: a frame of type ${type} has 1001 bytes and the limit is 1000`;
    assert.deepEqual(joinBytes(end.written), frame(FrameType.close, JSON.stringify({ reason })));
    assert.deepEqual(seen.closed, [reason]);
    assert.deepEqual(seen.refused, [`${reason} | `]);
  });
}

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
