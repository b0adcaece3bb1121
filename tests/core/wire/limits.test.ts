import assert from "node:assert/strict";
import { test } from "node:test";
import { Codec, encodePayload } from "../../../src/core/wire/codec.ts";
import { readAnswers } from "../../../src/core/wire/columns.ts";
import { isNestedDeeper, readJson } from "../../../src/core/wire/frame.ts";
import { carry } from "./carry.ts";

const FRAME_LIMIT = 100_000;
const LIMIT = FRAME_LIMIT - 4_096;

/** A list, and how many of its items were read. */
function watched(list: unknown[]): { readonly list: unknown; readonly reads: () => number } {
  let reads = 0;
  const proxy = new Proxy(list, {
    get(target, key, receiver) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { list: proxy, reads: () => reads };
}

for (const name of ["rich", "json", "text"] as const) {
  for (const wrap of [(list: unknown) => list, (list: unknown) => [{ deep: list }]]) {
    const where = Array.isArray(wrap(0)) ? "within a value" : "alone";
    test(`the ${name} codec refuses a list with 10^8 holes ${where}, and reads a few of them at most`, () => {
      const empty: unknown[] = [];
      empty.length = 1e8;
      const { list, reads } = watched(empty);
      const fault = encodePayload(new Codec(name), wrap(list), "params", FRAME_LIMIT);
      assert.ok("code" in fault && fault.bytes !== null);
      assert.equal(fault.reason, `payload of more than ${fault.bytes} bytes is over the limit of ${LIMIT}`);
      assert.ok(fault.bytes > LIMIT);
      assert.ok(reads() <= 2 * LIMIT, `${reads()} items were read`);
    });

    test(`the ${name} codec refuses many small values ${where}, and reads no more than twice the limit`, () => {
      const { list, reads } = watched(Array.from({ length: LIMIT - 1 }, () => "four"));
      const fault = encodePayload(new Codec(name), wrap(list), "params", FRAME_LIMIT);
      assert.ok("code" in fault && fault.bytes !== null);
      assert.match(fault.reason, /^payload of more than \d+ bytes is over the limit of 95904$/);
      assert.ok(reads() <= LIMIT * 2 / 4, `${reads()} items were read`);
    });
  }

  test(`the ${name} codec goes on after what was over the limit`, () => {
    const codec = new Codec(name);
    encodePayload(codec, Array.from({ length: LIMIT * 2 }, () => 1), "params", FRAME_LIMIT);
    const fine = encodePayload(codec, ["x"], "params", FRAME_LIMIT);
    assert.ok(!("code" in fine));
    assert.equal(fine.bytes, 5);
  });
}

test("the rich codec refuses a text of 30 times the limit before it takes memory for it", () => {
  const fault = encodePayload(new Codec("rich"), ["x".repeat(30 * LIMIT)], "params", FRAME_LIMIT);
  assert.ok("code" in fault);
  assert.match(fault.reason, /^payload of more than \d+ bytes/);
});

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

test("a JSON body is read up to the depth that a value may have, and refused beyond it", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.doesNotThrow(() => readJson(bytes(nested(1_010))));
  for (const depth of [1_011, 2_000_000]) {
    assert.throws(() => readJson(bytes(nested(depth))), { message: "the body is nested deeper than 1010" });
  }
  assert.throws(() => readAnswers(0, bytes(`[[1],0,0,[${nested(5_000)}]]`)), {
    name: "BodyError",
    message: "the body is nested deeper than 1010",
  });
});

test("the deepest value that may be sent is read", () => {
  const deepest: unknown = JSON.parse(nested(1_000));
  for (const name of ["rich", "json", "text"] as const) assert.deepEqual(carry(deepest, name), deepest);
});

test("what is closed is no nesting, and brackets in texts are none either", () => {
  const nests = (text: string, limit: number) => isNestedDeeper(text, JSON.parse(text), limit);
  assert.equal(nests(`[${Array.from({ length: 50 }, () => "[]").join()}]`, 2), false);
  assert.equal(nests(JSON.stringify(["[".repeat(50), '\\"[[[[[[[[[[', "\\", "{".repeat(50)]), 1), false);
  assert.equal(nests(`{"a":[${"1,".repeat(20)}{"b":[1]}]}`, 3), true);
  assert.equal(nests(`{"a":[${"1,".repeat(20)}{"b":[1]}]}`, 4), false);
  assert.equal(nests(nested(1_010), 1_010), false);
  assert.equal(nests(nested(1_011), 1_010), true);
  assert.equal(nests('{"a":'.repeat(1_011) + "1" + "}".repeat(1_011), 1_010), true);
});
