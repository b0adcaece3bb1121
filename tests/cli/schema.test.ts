import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configSchema } from "../../src/cli/config/json_schema.ts";
import { keyTables } from "../../scripts/config/key_tables.ts";

const REMEDY = 'run "deno task schema"';

test("brokkr.schema.json is what the keys of the command line say", () => {
  const schema = JSON.parse(readFileSync(new URL("../../schema/brokkr.schema.json", import.meta.url), "utf8"));
  assert.deepEqual(schema, JSON.parse(JSON.stringify(configSchema())), REMEDY);
});

test("every key of a configuration has a description and a default, and no key is unknown to an object", () => {
  for (const [name, rows] of keyTables()) {
    assert.ok(rows.length > 0, name);
    for (const [key, , byDefault, description] of rows) {
      assert.match(description, /^\S.{9,}[^.]$/s, `${name}.${key}`);
      // An object's defaults are those of its keys.
      if (byDefault === "see below") assert.ok(keyTables().has(key.slice(1, -1)), `${name}.${key}`);
    }
  }
  const open = JSON.stringify(configSchema()).match(/"type":"object","properties":\{/g)?.length;
  assert.equal(open, JSON.stringify(configSchema()).match(/"additionalProperties":false/g)?.length);
});

test("docs/configuration.md has a table of the keys of each object, as the schema says them", () => {
  const guide = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const tables = [...guide.matchAll(/^<!-- keys: (\w+) -->\n(.*?)^<!-- end -->$/gms)].map(
    ([, name = "", table = ""]) => {
      const rows = table.split("\n").filter((line) => line.startsWith("|")).slice(2);
      return [name, rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()))] as const;
    },
  );
  assert.deepEqual(
    new Map(tables),
    new Map([...keyTables()].map(([name, rows]) => [name, rows.map((row) => [...row])])),
    REMEDY,
  );
});
