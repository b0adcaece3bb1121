import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswers, readCalls } from "../../../src/core/wire/columns.ts";
import { BodyError, FrameFlag, inBatches, joinBytes } from "../../../src/core/wire/frame.ts";

const textBytes = (text: string) => new TextEncoder().encode(text);

for (
  const body of [
    "1",
    "{}",
    "[]",
    '[1,[1],0,["a"]]',
    '["1",[1],0,["a"],[[]],0]',
    '[1,[1,2],0,["a"],[[]],0]',
    '[1,[1],0,["a","b"],[[]],0]',
    '[1,["1"],0,["a"],[[]],0]',
    '[1,[-1],0,["a"],[[]],0]',
    '[1,[1.5],0,["a"],[[]],0]',
    '[1,[1],["2"],["a"],[[]],0]',
    '[1,[1],[],["a"],[[]],0]',
    "[1,[1],0,[5],[[]],0]",
    '[1,[1],0,["a"],[{}],0]',
    '[1,[1],0,["a"],[null],0]',
  ]
) {
  test(`calls frame ${body} is refused`, () => assert.throws(() => readCalls(0, textBytes(body)), BodyError));
}

for (const body of ["null", "[]", "[[1],0,0]", "[[1],0,0,[1,2]]", '[[1],0,["x"],[1]]', "[[1],0,[],[1]]"]) {
  test(`answers frame ${body} is refused`, () => assert.throws(() => readAnswers(0, textBytes(body)), BodyError));
}

test("options of a call are read field by field, and others are dropped", () => {
  const options = [null, 5, { target: 1, timeoutMs: "x", caller: [] }, {
    target: "sla",
    timeoutMs: 5,
    caller: "M",
    x: 1,
  }];
  const body = JSON.stringify([1, [1, 2, 3, 4], 0, ["a", "a", "a", "a"], [[], [], [], []], options]);
  assert.deepEqual(readCalls(0, textBytes(body)).calls.map((call) => call.options), [
    null,
    null,
    {},
    { target: "sla", timeoutMs: 5, caller: "M" },
  ]);
});

for (const options of [0, null, "x", 5, true]) {
  test(`options ${JSON.stringify(options)} of a calls frame are none`, () => {
    const body = JSON.stringify([1, [1], 0, ["a"], [[]], options]);
    assert.deepEqual(readCalls(0, textBytes(body)).calls.map((call) => call.options), [null]);
  });
}

function withPlaces(text: string, attachments: Uint8Array, length = textBytes(text).length): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, length);
  return joinBytes([head, textBytes(text), attachments]);
}

for (
  const [what, places] of [
    ["a path that leads nowhere", [[[0, 5], 1]]],
    ["a path through a text", [[[0, 1, 0], 1]]],
    ["a path through a prototype", [[[0, "__proto__", "polluted"], 1]]],
    ["a path to a member of a prototype", [[[0, "__proto__", "at"], 1]]],
    ["a path to a list's length", [[[0, "length"], 1]]],
    ["an empty path", [[[], 1]]],
    ["a key that is none", [[[null], 1]]],
    ["more bytes than there are", [[[0, 0], 3]]],
    ["bytes below 0", [[[0, 0], -1]]],
    ["no list", [5]],
  ] as const
) {
  test(`attachment with ${what} is refused, and pollutes nothing`, () => {
    const text = JSON.stringify([1, [1], 0, ["a"], [[null, "x"]], 0, places]);
    assert.throws(() => readCalls(FrameFlag.attachments, withPlaces(text, Uint8Array.of(1, 2))));
    assert.equal(Reflect.get({}, "polluted"), undefined);
    assert.equal(Reflect.get([], "polluted"), undefined);
    assert.equal(typeof [].at, "function");
  });
}

test("attachments flag with a text that is longer than the frame, or with no length, is refused", () => {
  assert.throws(() => readCalls(FrameFlag.attachments, withPlaces("[]", new Uint8Array(0), 3)), BodyError);
  assert.throws(() => readCalls(FrameFlag.attachments, withPlaces("[]", new Uint8Array(0), 0xffffffff)), BodyError);
  assert.throws(() => readCalls(FrameFlag.attachments, Uint8Array.of(0, 0, 0)), BodyError);
});

test("inBatches() closes a batch before it passes 32 KiB and keeps the order", () => {
  const batches = (sizes: readonly number[]) => {
    const seen: (readonly number[])[] = [];
    inBatches(sizes, (size) => size, (batch) => seen.push(batch));
    return seen;
  };
  const sizes = [12_000, 12_000, 12_000, 5, 300_000, 5, 32_704, 0, 1];
  assert.deepEqual(batches(sizes), [[12_000, 12_000], [12_000, 5], [300_000], [5], [32_704], [0, 1]]);
  assert.deepEqual(batches([]), []);
});
