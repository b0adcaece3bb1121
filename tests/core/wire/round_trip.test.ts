import assert from "node:assert/strict";
import { property } from "../property.ts";
import { jsonValues, plainValues, richValues } from "../values.ts";
import { carry } from "./carry.ts";

property("the rich codec carries any values as they are", richValues, (value) => {
  assert.deepEqual(carry(value), value);
}, { runs: 300 });

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
