import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KNOWN_KEYS } from "../../src/cli/config/schema.ts";

test("brokkr.schema.json knows the keys that a configuration may have", () => {
  const schema = JSON.parse(readFileSync(new URL("../../schema/brokkr.schema.json", import.meta.url), "utf8"));
  const { properties, definitions } = schema;
  assert.deepEqual(Object.keys(properties), KNOWN_KEYS.root);
  assert.deepEqual(Object.keys(properties.call.properties), KNOWN_KEYS.call);
  assert.deepEqual(Object.keys(properties.log.properties), KNOWN_KEYS.log);
  assert.deepEqual(Object.keys(definitions.module.properties), KNOWN_KEYS.module);
  assert.deepEqual(Object.keys(definitions.restart.properties), KNOWN_KEYS.restart);
  const { output } = definitions.module.properties;
  assert.deepEqual(Object.keys(output.properties), KNOWN_KEYS.output);
  for (const part of [schema, properties.call, properties.log, definitions.module, definitions.restart, output]) {
    assert.equal(part.additionalProperties, false);
  }
});
