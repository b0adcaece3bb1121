import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeValue, JSON_CODEC, readJsonAnswers } from "../../../src/core/wire/json_codec.ts";
import { joinBytes } from "../../../src/core/wire/bytes.ts";
import { property } from "../property.ts";
import { compactValues, jsonValues, plainValues } from "../values.ts";
import { CompactStream } from "./compact_stream.ts";

property("the compact codec carries any values as they are, one after the other", fc.array(compactValues), (values) => {
  const stream = new CompactStream();
  for (const value of values) assert.deepEqual(stream.carry(value), value);
}, { runs: 300 });

property("the JSON codec carries plain values as they are", plainValues, (value) => {
  assert.deepEqual(carryAsJson(value), value);
}, { runs: 300 });

property("the JSON codec changes no more than the protocol's table says", jsonValues, (value) => {
  if (value === undefined) return;
  assert.deepEqual(carryAsJson(value), inJson(value));
}, { runs: 300 });

function carryAsJson(value: unknown): unknown {
  const { flags, parts } = JSON_CODEC.answers([{ id: 1, attempt: 1, kind: 0, value: encodeValue(value, "v") }]);
  return readJsonAnswers(flags, joinBytes(parts)).values[0];
}

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
