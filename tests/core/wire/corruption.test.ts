import assert from "node:assert/strict";
import fc from "fast-check";
import { Codec } from "../../../src/core/wire/codec.ts";
import { packCalls, readCalls } from "../../../src/core/wire/columns.ts";
import { BodyError, FrameFlag, joinBytes } from "../../../src/core/wire/frame.ts";
import { property } from "../property.ts";
import { plainValues, richValues } from "../values.ts";
import { bytesOf } from "./carry.ts";

/** Bytes that are changed, put in or taken out. */
interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), insert: fc.uint8Array({ maxLength: 3 }) }),
  { minLength: 1, maxLength: 4 },
);

function edited(bytes: Uint8Array, changes: readonly Edit[]): Uint8Array {
  let result = bytes;
  for (const { at, remove, insert } of changes) {
    const from = at % (result.length + 1);
    result = joinBytes([result.subarray(0, from), insert, result.subarray(from + remove)]);
  }
  return result;
}

for (const [name, values] of [["rich", richValues], ["json", plainValues]] as const) {
  property(
    `a body of the ${name} codec with any bytes changed is read or refused, and the next one is read`,
    fc.record({ values: fc.array(values, { minLength: 1, maxLength: 4 }), changes: edits }),
    ({ values, changes }) => {
      const { flags, body } = callsOf(new Codec(name), values);
      refusedOrRead(() => {
        for (const { params } of readCalls(flags, edited(body, changes)).calls) assert.ok(Array.isArray(params));
      });
      assert.deepEqual(readCalls(flags, body).calls.map(({ params }) => params[0]), values);
      assert.equal(Reflect.get({}, "polluted"), undefined);
    },
    { runs: 1000 },
  );
}

const json = fc.jsonValue({ maxDepth: 3 });
const kinds = fc.constantFrom("date", "bigint", "number", "undefined", "numbers", "text", "toString", undefined);
const places = fc.array(fc.oneof(json, fc.tuple(fc.array(fc.oneof(fc.nat({ max: 2 }), json)), json, kinds)));

property("any places of any kind are read or refused, and pollute nothing", places, (list) => {
  const text = new TextEncoder().encode(JSON.stringify([1, [1], 0, ["get"], [[null, { a: [0] }]], 0, list]));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length);
  refusedOrRead(() => readCalls(FrameFlag.attachments, joinBytes([length, text, new Uint8Array(64)])));
  assert.equal(Reflect.get({}, "polluted"), undefined);
}, { runs: 5_000 });

function refusedOrRead(read: () => void): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof BodyError, String(error));
  }
}

function callsOf(codec: Codec, values: readonly unknown[]): { flags: number; body: Uint8Array } {
  const packed = packCalls(
    values.map((value, index) => {
      const params = codec.encode([value], "p");
      return { id: index + 1, attempt: 1 + index % 2, command: "get", params, options: null };
    }),
    1,
  );
  return { flags: packed.flags, body: bytesOf(packed) };
}
