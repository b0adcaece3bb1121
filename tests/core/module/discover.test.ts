import assert from "node:assert/strict";
import { test } from "node:test";
import { discover, type JsonSchema } from "../../../src/core/module/discover.ts";
import { commandMap } from "../../../src/core/module/module.ts";
import { withSchema } from "../../../src/core/module/schema.ts";
import type { StandardSchema } from "../../../src/core/module/definition.ts";

function schema<T>(jsonSchema: JsonSchema | Error | null): StandardSchema<T> {
  const give = () => {
    if (jsonSchema instanceof Error) throw jsonSchema;
    return { ...jsonSchema };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "by hand",
      validate: (value) => ({ value: value as T }),
      ...(jsonSchema === null ? {} : { jsonSchema: { input: give, output: give } }),
    },
  };
}

function described(commands: Parameters<typeof commandMap>[1]) {
  return discover("sla", commandMap("commands", commands)).methods;
}

test("discover() names the parameters as they stand in the function, whatever its form", () => {
  const methods = described({
    none: () => 1,
    bare: (x: unknown) => x,
    // deno-lint-ignore require-await
    async later(a: unknown, b = "(,)".length, { c, d }: Record<string, unknown> = {}, ...rest: unknown[]) {
      return [a, b, c, d, rest];
    },
    *yields(/* how many, (or so) */ to: number) {
      yield to;
    },
    async *yieldsLater(to: number) {
      yield await Promise.resolve(to);
    },
    native: Math.max,
  });
  const signatures = methods.map(({ name, params, "x-stream": stream }) =>
    `${name}(${
      params.map(({ name, required, "x-rest": rest }) => `${rest ? "..." : ""}${name}${required ? "" : "?"}`).join(", ")
    })${stream ? "*" : ""}`
  );
  assert.deepEqual(signatures, [
    "none()",
    "bare(x)",
    "later(a, b?, param3?, ...rest?)",
    "yields(to)*",
    "yieldsLater(to)*",
    "native()",
  ]);
});

test("discover() gives the schemas of withSchema() where its library can tell them, and never fails for one that can't", () => {
  const month = { type: "string", pattern: "^\\d{4}-\\d\\d$" };
  const report = { type: "object", properties: { uptime: { type: "number" } } };
  const handler = (month: string) => ({ month });
  const list = schema<[string]>({ type: "array", prefixItems: [month] });
  const methods = described({
    known: withSchema({ params: list, result: schema<object>(report) }, handler),
    silent: withSchema({ params: schema<[string]>(null) }, handler),
    broken: withSchema({ params: schema<[string]>(new Error("no")) }, handler),
  });
  const result = (schema: JsonSchema) => ({ result: { name: "result", schema }, "x-stream": false });
  const param = (schema: JsonSchema) => [{ name: "month", required: true, schema }];
  assert.deepEqual(methods, [
    { name: "known", params: param(month), ...result(report) },
    { name: "silent", params: param({}), ...result({}) },
    { name: "broken", params: param({}), ...result({}) },
  ]);
});
