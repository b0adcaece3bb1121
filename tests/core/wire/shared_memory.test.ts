import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameType, joinBytes } from "../../../src/core/wire/frame.ts";
import { Codec } from "../../../src/core/wire/codec.ts";
import { type AnswerEntry, packAnswers } from "../../../src/core/wire/columns.ts";
import { settle } from "../manual_clock.ts";
import { brief, LARGE, large, SharedPair } from "./shared_pair.ts";

const MIB = 1024 * 1024;

test("the first large value goes over the channel and asks for memory, the next ones lie there", async () => {
  const { parent, process, files } = new SharedPair();
  assert.ok(await parent.send(large(1)) > LARGE);
  assert.ok(await parent.send(large(2), "small", { text: "é".repeat(LARGE) }) < 500);
  assert.ok(await process.send([large(3), [large(4)]]) < 500);
  assert.deepEqual(process.got.slice(0, 3).map(brief), [`${LARGE} × 1`, `${LARGE} × 2`, "small"]);
  assert.deepEqual(process.got[3], { text: "é".repeat(LARGE) });
  assert.deepEqual(parent.got, [[large(3), [large(4)]]]);
  assert.equal(files.written, LARGE * 5);
});

test("what fits into the channel's buffer goes there, and what does together only if it has large parts", async () => {
  const { parent, process, files } = await SharedPair.open();
  assert.ok(await parent.send(large(1, 150_000)) > 150_000);
  assert.ok(await parent.send(Array(20).fill("x".repeat(60_000))) > 1_200_000);
  assert.equal(files.written, 0);
  assert.ok(await parent.send([large(2, 100_000), "x".repeat(70_000), large(3, 100_000)]) < 500);
  assert.equal(files.written, 270_000);
  assert.deepEqual(process.got[2], [large(2, 100_000), "x".repeat(70_000), large(3, 100_000)]);
});

test("the frame of an answer that lies apart has the bytes that docs/wire-protocol.md shows", async () => {
  const { parent } = await SharedPair.open();
  parent.end.written.length = 0;
  parent.link.sendPacked(FrameType.answers, packAnswers([answerOf(large(1))]));
  await settle();
  const hex = [...joinBytes(parent.end.written)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const head = "62 6b 0c 00 00 00 00 33 03 01 00 01 00 00 00 23 00 00 00 00 00 04 93 e0 00 00 00 1f";
  const text = "5b 5b 31 5d 2c 30 2c 30 2c 5b 6e 75 6c 6c 5d 2c 5b 5b 5b 30 5d 2c 33 30 30 30 30 30 5d 5d 5d";
  assert.equal(hex, `${head} ${text}`);
});

test("a process that has a large value asks its parent, who alone makes files", async () => {
  const { parent, process, files } = new SharedPair();
  assert.ok(await process.send(large(1)) > LARGE);
  assert.deepEqual([files.contents.length, files.opened.length], [2, 2]);
  assert.ok(await process.send(large(2)) < 500);
  assert.ok(await parent.send(large(3)) < 500);
  assert.deepEqual([...parent.got, ...process.got].map(brief), [1, 2, 3].map((byte) => `${LARGE} × ${byte}`));
});

test("files have no name as soon as the process has opened them, and are closed with the link", async () => {
  const pair = new SharedPair();
  pair.process.end.block();
  await pair.parent.send(large(1));
  assert.equal(pair.files.names.length, 2);
  pair.process.end.unblock();
  await settle();
  assert.deepEqual([pair.files.names, pair.files.descriptors], [[], 4]);
  await pair.parent.send(large(2));
  await pair.clock.advance(0);
  await pair.close();
  assert.deepEqual([pair.files.descriptors, pair.clock.timers], [0, 0]);
});

test("files that were never opened lose their names with the link", async () => {
  const pair = new SharedPair();
  pair.process.end.block();
  await pair.parent.send(large(1));
  await pair.close();
  assert.deepEqual([pair.files.names, pair.files.descriptors], [[], 0]);
});

for (
  const [what, theirs, refusal] of [
    ["has none", false, null],
    ["can't open them", true, "EACCES: permission denied"],
  ] as const
) {
  test(`where the process ${what}, large values stay on the channel, and no file is left`, async () => {
    const { parent, process, files } = new SharedPair({ theirs });
    files.refusal = refusal;
    for (let byte = 0; byte < 3; byte++) {
      assert.ok(await parent.send(large(byte)) > LARGE);
      assert.ok(await process.send(large(byte)) > LARGE);
    }
    assert.deepEqual(
      [parent.got, process.got].map((got) => got.map(brief)),
      Array(2).fill(["0", "1", "2"].map((byte) => `${LARGE} × ${byte}`)),
    );
    assert.deepEqual([files.names, files.descriptors, files.contents.length], [[], 0, 2]);
    assert.deepEqual([...parent.closed, ...process.closed], []);
  });
}

test("where there is no room, values go over the channel, and lie apart again when some were read", async () => {
  const { parent, process } = await SharedPair.open();
  process.end.block();
  for (const byte of [1, 2, 3]) assert.ok(await parent.send(large(byte, 5 * MIB)) < 500);
  assert.ok(await parent.send(large(4, 5 * MIB)) > 5 * MIB);
  process.end.unblock();
  await settle();
  assert.deepEqual(process.got.map(brief), [1, 2, 3, 4].map((byte) => `${5 * MIB} × ${byte}`));
  await process.send("takes the acknowledgement along");
  assert.ok(await parent.send(large(5, 15 * MIB)) < 500);
  assert.equal(brief(process.got.at(-1)), `${15 * MIB} × 5`);
});

test("an acknowledgement goes by itself where nothing else is sent", async () => {
  const { parent, process, clock } = await SharedPair.open();
  for (let byte = 0; byte < 10; byte++) {
    assert.ok(await parent.send(large(byte, 15 * MIB)) < 500, `value ${byte} found no room`);
    await clock.advance(0);
  }
  assert.equal(process.got.length, 10);
});

test("where the system has no memory left, values go over the channel, and lie apart when it has", async () => {
  const { parent, process, files } = await SharedPair.open();
  files.room = LARGE - 1;
  assert.ok(await parent.send(large(1)) > LARGE);
  assert.deepEqual(files.contents.map(({ bytes }) => bytes.length), [0, 0], "what was written in vain is held");
  files.room = LARGE;
  assert.ok(await parent.send(large(2)) < 500);
  assert.deepEqual(process.got.map(brief), [`${LARGE} × 1`, `${LARGE} × 2`]);
});

test("memory is given back one to two seconds after it was used last, and taken again", async () => {
  const { parent, process, files, clock } = await SharedPair.open();
  const held = () => files.contents.reduce((sum, { bytes }) => sum + bytes.length, 0);
  await parent.send(large(1));
  await clock.advance(900);
  await parent.send(large(2));
  await clock.advance(900);
  assert.equal(held(), LARGE);
  await clock.advance(1_200);
  assert.deepEqual([held(), clock.timers], [0, 0]);
  assert.ok(await parent.send(large(3)) < 500);
  assert.deepEqual(process.got.map(brief), [1, 2, 3].map((byte) => `${LARGE} × ${byte}`));
});

test("memory is not given back while the other side has something to read", async () => {
  const { parent, process, clock } = await SharedPair.open();
  process.end.block();
  await parent.send(large(1));
  await clock.advance(60_000);
  process.end.unblock();
  await clock.advance(3_000);
  assert.deepEqual([process.got.map(brief), clock.timers], [[`${LARGE} × 1`], 0]);
});

test("a frame that is refused before its parts were read is acknowledged like any other", async () => {
  const { parent, process, clock } = await SharedPair.open();
  for (let round = 0; round < 6; round++) {
    process.refuses = round % 2 === 0;
    assert.ok(await parent.send(large(round, 15 * MIB)) < 500, `value ${round} found no room`);
    await clock.advance(0);
  }
  assert.deepEqual([process.refused.length, process.got.length, process.closed], [3, 3, []]);
});

test("values of any make arrive the same, apart or not", async () => {
  const one = await SharedPair.open();
  const other = new SharedPair({ theirs: false });
  const size = fc.constantFrom(0, 10, 65_535, 65_536, 300_000);
  const leaf = fc.oneof(
    fc.integer(),
    fc.string(),
    size.map((length) => new Uint8Array(length).fill(length % 251)),
    size.map((length) => "x".repeat(length)),
    size.map((length) => "\ud800".padEnd(length, "é")),
  );
  const value = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 5 }), leaf, { maxKeys: 4, noNullPrototype: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 4 }), async (values) => {
      for (const pair of [one, other]) {
        await pair.parent.send(...values);
        await pair.clock.advance(0);
        assert.equal(pair.process.got.length, values.length);
        const got = pair.process.got.splice(0);
        for (const [index, sent] of values.entries()) assert.deepEqual(got[index], sent);
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(one.files.written > 0);
});

function answerOf(value: unknown): AnswerEntry {
  return { id: 1, attempt: 1, kind: 0, value: new Codec("rich").encode(value, "value") };
}
