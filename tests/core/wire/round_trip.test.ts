import assert from "node:assert/strict";
import fc from "fast-check";
import { Codec } from "../../../src/core/wire/codec.ts";
import { packAnswers, readAnswers } from "../../../src/core/wire/columns.ts";
import { property } from "../property.ts";
import { jsonValues, plainValues, richValues } from "../values.ts";
import { bytesOf, carry } from "./carry.ts";

property("the rich codec carries any values as they are", richValues, (value) => {
  assert.deepEqual(carry(value), value);
}, { runs: 300 });

property(
  "values of any kind in one frame, one after the other, arrive as they are",
  fc.array(fc.tuple(richValues, fc.boolean()), { maxLength: 12 }),
  (entries) => {
    const codec = new Codec("rich");
    // A peer that writes JSON alone may take turns with one that does not.
    const json = new Codec("json");
    const answers = entries.map(([value, plain], id) => {
      const isJson = plain && isOfJson(value);
      return { id, attempt: 1, kind: 0, value: (isJson ? json : codec).encode(value, "v") };
    });
    for (let turn = 0; turn < 2; turn++) {
      const packed = packAnswers(answers);
      assert.deepEqual(readAnswers(packed.flags, bytesOf(packed)).values, entries.map(([value]) => value));
    }
  },
  { runs: 300 },
);

property("the JSON codec carries plain values as they are", plainValues, (value) => {
  assert.deepEqual(carry(value, "json"), value);
}, { runs: 300 });

property("the JSON codec changes no more than the protocol's table says", jsonValues, (value) => {
  if (value === undefined) return;
  assert.deepEqual(carry(value, "json"), inJson(value));
}, { runs: 300 });

/** The table of `docs/wire-protocol.md`, as far as random values go. */
function inJson(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inJson);
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, inJson(inner)]));
}

/** Whether plain JSON carries it as it is. */
function isOfJson(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (value instanceof Uint8Array) return true;
  if (value instanceof Date || value === undefined || typeof value === "bigint") return false;
  return typeof value !== "object" || value === null || Object.values(value).every(isOfJson);
}
