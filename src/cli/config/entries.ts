import type * as v from "valibot";

/** The keys that an object may have by `schema`, each with its own schema; null where `schema` wants no object for `value`. */
export function entriesOf(schema: object, value: unknown): ReadonlyMap<string, v.GenericSchema> | null {
  if ("wrapped" in schema && isSchema(schema.wrapped)) return entriesOf(schema.wrapped, value);
  if ("getter" in schema && typeof schema.getter === "function") {
    const chosen: unknown = schema.getter(value);
    return isSchema(chosen) ? entriesOf(chosen, value) : null;
  }
  if (!("entries" in schema) || typeof schema.entries !== "object" || schema.entries === null) return null;
  const all = new Map<string, v.GenericSchema>();
  for (const [key, entry] of Object.entries(schema.entries)) if (isSchema(entry)) all.set(key, entry);
  return all;
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}
