import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameFlag, FrameType, joinBytes } from "../../../src/core/wire/frame.ts";
import { outOfBandHead, type OutOfBandSpan } from "../../../src/core/wire/shared_memory.ts";
import { frame } from "../frames.ts";
import { settle } from "../manual_clock.ts";
import { LARGE, large, SharedPair } from "./shared_pair.ts";

const MIB = 1024 * 1024;
const ONE = Uint8Array.of(0x31);
const PART: OutOfBandSpan = { position: 0, at: 0, length: 9 };

for (
  const [what, body, reason] of [
    ["says nothing", new Uint8Array(0), "its length is 0"],
    ["has no part that lies apart", Uint8Array.of(3, 1, 0, 0, 0x31), "it does not say what lies apart"],
    ["has more parts than bytes", Uint8Array.of(3, 1, 255, 255, 0x31), "it does not say what lies apart"],
    ["is a hello", apartBody(1, [PART], ONE), "of type 1 nothing lies apart"],
    ["lies apart itself", apartBody(12, [PART], ONE), "of type 12 nothing lies apart"],
    [
      "is too large with its parts",
      apartBody(3, Array(5).fill({ ...PART, length: 4 * MIB }), ONE),
      `its length is ${20 * MIB + 1} and the limit is ${16 * MIB}`,
    ],
  ] as const
) {
  test(`a frame that ${what} closes the link with a reason`, async () => {
    const { process, parent, files } = await SharedPair.open();
    process.end.deliver(frame(FrameType.outOfBand, body));
    await settle();
    assert.deepEqual([...process.closed, ...parent.closed].slice(0, 1), [`Cannot read frame: ${reason}`]);
    assert.equal(files.descriptors, 0);
  });
}

test("a frame whose parts lie apart closes a link that has no memory", () => {
  const { process } = new SharedPair({ theirs: false });
  const body = apartBody(3, [PART], ONE);
  process.end.deliver(frame(FrameType.outOfBand, body));
  assert.deepEqual(process.closed, ["Cannot read frame: there is no shared memory"]);
});

for (
  const [what, span, reason] of [
    ["lies behind the end of the memory", { position: 35, at: 50, length: LARGE }, "the shared memory ends at 0"],
    ["has another length", { position: 35, at: 0, length: LARGE - 1 }, "a part that lies apart has another length"],
    ["belongs nowhere", { position: 3, at: 0, length: LARGE }, "attachments: a place is wrong"],
  ] as const
) {
  test(`a frame with a part that ${what} is refused, and the link is kept`, async () => {
    const { process } = await SharedPair.open();
    // 300,000 bytes that lie apart
    const text = new TextEncoder().encode("[[1],0,0,[null],[[[0],300000]]]");
    const rest = joinBytes([Uint8Array.of(0, 0, 0, text.length), text]);
    process.end.deliver(frame(FrameType.outOfBand, apartBody(3, [span], rest)));
    await settle();
    assert.deepEqual([process.refused, process.closed, process.got], [[reason], [], []]);
  });
}

test("a frame without attachments has no part that could lie apart: it is refused, and the link is kept", async () => {
  const { process } = await SharedPair.open();
  const head = outOfBandHead(3, 0, [{ position: 0, at: 0, length: LARGE }]);
  process.end.deliver(frame(FrameType.outOfBand, joinBytes([head, new TextEncoder().encode("[[1],0,0,[null]]")])));
  await settle();
  assert.deepEqual([process.refused, process.closed, process.got], [
    ["a part that lies apart belongs nowhere"],
    [],
    [],
  ]);
});

for (const body of ["0", "-1", "1.5", '"1"', "2", "null"]) {
  test(`an acknowledgement of ${body} where one frame is out closes the link`, async () => {
    const { parent, process } = await SharedPair.open();
    process.end.block();
    await parent.send(large(1));
    parent.end.deliver(frame(FrameType.taken, body));
    assert.deepEqual(parent.closed, ["Cannot read frame: it acknowledges what was never sent"]);
  });
}

test("a parent opens no file that its process names, and believes no opening that it did not ask for", async () => {
  const { parent, files } = new SharedPair();
  parent.end.deliver(frame(FrameType.shared, JSON.stringify({ reads: "/etc/passwd", writes: "/etc/shadow" })));
  parent.end.deliver(frame(FrameType.shared, JSON.stringify({ opened: true })));
  await settle();
  assert.deepEqual([files.opened, files.contents.length], [[], 0]);
  parent.end.deliver(frame(FrameType.shared, JSON.stringify(null)));
  assert.ok(await parent.send(large(1)) > LARGE);
});

/** The body of an `apart` frame: what it says of its parts, and the rest. */
function apartBody(type: number, spans: readonly OutOfBandSpan[], rest: Uint8Array): Uint8Array {
  return joinBytes([outOfBandHead(type, FrameFlag.attachments, spans), rest]);
}
