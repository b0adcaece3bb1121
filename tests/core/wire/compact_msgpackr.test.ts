import assert from "node:assert/strict";
import fc from "fast-check";
import { Packr } from "msgpackr";
import { test } from "node:test";
import { CompactCodec } from "../../../src/core/wire/compact_codec.ts";
import { joinBytes } from "../../../src/core/wire/bytes.ts";
import { property } from "../property.ts";
import { plainValues } from "../values.ts";
import { bytesOf, hasLoneSurrogate, read } from "./compact_stream.ts";

const ascii = fc.string({ maxLength: 60 });
const anyText = fc.string({ unit: fc.constantFrom("a", "é", "中", "🙂", " "), maxLength: 300 });

/** A table whose rows have one shape. No whole number over 32 bits, which msgpackr writes otherwise. */
function tables(texts: fc.Arbitrary<string>): fc.Arbitrary<{ keys: string[]; rows: Record<string, unknown>[] }> {
  const cell = fc.oneof(
    fc.integer(),
    fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(true, false, null, undefined),
    texts,
    fc.array(fc.integer({ min: -40, max: 300 }), { maxLength: 20 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes)),
  );
  const keys = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 6 });
  const rows = fc.array(fc.array(cell, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 20 });
  return fc.tuple(keys, rows).map(([keys, rows]) => ({
    keys,
    rows: rows.map((row) => Object.fromEntries(keys.map((key, index) => [key, row[index]]))),
  }));
}

property("msgpackr writes rows of one shape with the same bytes", tables(ascii), ({ keys, rows }) => {
  assert.deepEqual(Uint8Array.from(new Packr({ structures: [[...keys]] }).pack(rows)), shaped(rows));
});

property("msgpackr and CompactCodec read each other's rows of one shape", tables(anyText), ({ keys, rows }) => {
  const packr = new Packr({ structures: [[...keys]] });
  assert.deepEqual(packr.unpack(shaped(rows)), rows);
  assert.deepEqual(read(Uint8Array.from(packr.pack(rows)), [keys]), rows);
});

property("CompactReader reads any value that msgpackr writes", plainValues, (value) => {
  // A key `toJSON` that is no function is one to msgpackr all the same.
  fc.pre(!hasLoneSurrogate(value) && !JSON.stringify(value).includes('"toJSON"'));
  const structures: string[][] = [];
  // Structures beyond those of one byte are msgpackr's own.
  const packr = new Packr({ structures, maxSharedStructures: 32, maxOwnStructures: 0 });
  const bytes = Uint8Array.from(packr.pack(value));
  fc.pre(structures.every((keys) => !keys.includes("__proto__")));
  assert.equal(plain(read(bytes, structures)), plain(value));
});

test("a structure that msgpackr learns is a shape, with the same number", () => {
  const structures: string[][] = [];
  const packr = new Packr({ structures });
  const values = [{ host: "a" }, { host: "b", up: true }, { host: "c" }];
  const bytes = Uint8Array.from(packr.pack(values));
  assert.deepEqual(structures.map((keys) => [...keys]), [["host"], ["host", "up"]]);
  assert.deepEqual(read(bytes, structures), values);
  const stream = { sentCount: 0 };
  const codec = new CompactCodec();
  bytesOf([values, values], codec);
  assert.deepEqual(bytesOf(values, codec), bytes);
  const told = codec.before(stream);
  assert.ok(told !== undefined);
  assert.deepEqual(read(joinBytes(told.parts)), [0, [["host"], ["host", "up"]]]);
});

/** From the second object on a shape has its number, as a shared structure has it from the start. */
function shaped(rows: readonly unknown[]): Uint8Array {
  const codec = new CompactCodec();
  bytesOf([rows[0], rows[0]], codec);
  return bytesOf(rows, codec);
}

/** A whole number over 32 bits is a float to one and a BigInt to nobody. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => inner instanceof Uint8Array ? [...inner] : inner);
}
