import assert from "node:assert/strict";
import fc from "fast-check";
import { BodyReader, type Codec, newCodec } from "../../../src/core/wire/codec.ts";
import { BodyError, type Packed } from "../../../src/core/wire/frame.ts";
import { encodeValue, JSON_CODEC } from "../../../src/core/wire/json_codec.ts";
import { joinBytes } from "../../../src/core/wire/bytes.ts";
import { property } from "../property.ts";
import { plainValues } from "../values.ts";
import { read } from "./compact_stream.ts";

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

const batches = fc.record({ values: fc.array(plainValues, { minLength: 1, maxLength: 4 }), changes: edits });

for (const name of ["compact", "json"] as const) {
  property(
    `a body of the ${name} codec with any bytes changed is read or refused, and the next one is read`,
    batches,
    ({
      values,
      changes,
    }) => {
      const codec = newCodec(name);
      const whole = callsOf(codec, values);
      const reader = new BodyReader();
      if (whole.before !== undefined) reader.calls(whole.before.flags, whole.before.body);
      try {
        for (const { params } of reader.calls(whole.flags, edited(whole.body, changes))?.calls ?? []) {
          assert.ok(Array.isArray(params));
        }
      } catch (error) {
        // The path of an attachment may lead nowhere.
        assert.ok(error instanceof BodyError || (name === "json" && error instanceof TypeError), String(error));
      }
      assert.deepEqual(reader.calls(whole.flags, whole.body)?.calls.map(({ params }) => params[0]), values);
      assert.equal(Reflect.get({}, "polluted"), undefined);
    },
    { runs: 1000 },
  );
}

property("any bytes are a value or are refused", fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
  try {
    read(bytes);
  } catch (error) {
    assert.ok(error instanceof BodyError, String(error));
  }
}, { runs: 20_000 });

function callsOf(codec: Codec, values: readonly unknown[]) {
  const calls = values.map((value, index) => {
    const params = codec.name === "json" ? encodeValue([value], "p") : codec.encode([value], "p");
    return { id: index + 1, attempt: 1 + index % 2, command: "get", params, options: null };
  });
  const shapes = codec.before({ sentCount: 0 });
  const before = shapes === undefined ? undefined : bodyOf(shapes);
  return { ...bodyOf(codec.name === "json" ? JSON_CODEC.calls(calls, 1) : codec.calls(calls, 1)), before };
}

/** A copy, since what packs the next frame uses the memory again. */
function bodyOf({ flags, parts }: Packed): { flags: number; body: Uint8Array } {
  return { flags, body: joinBytes(parts).slice() };
}
