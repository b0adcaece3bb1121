// optionsSchema of a module: what its options become, and what a start with wrong ones comes to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessGoneError } from "../../../src/core/faults.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import type { ModuleDefinition, StandardSchema } from "../../../src/core/module/definition.ts";
import { MemoryTree } from "./memory_tree.ts";

interface Options {
  readonly region: string;
  readonly currency: string;
}

const schema: StandardSchema<unknown, Options> = {
  "~standard": {
    version: 1,
    vendor: "by hand",
    async validate(value) {
      await undefined;
      const given = new Map(Object.entries(value ?? {}));
      const region: unknown = given.get("region") ?? "EU";
      if (region !== "EU" && region !== "US") return { issues: [{ message: "must be EU or US", path: ["region"] }] };
      return { value: { region, currency: region === "EU" ? "EUR" : "USD" } };
    },
  },
};

const shop = defineModule({
  name: "shop",
  optionsSchema: schema,
  workers: { count: 1, commands: (ctx) => ({ currency: () => ctx.options.currency }) },
  commands: (ctx) => {
    // As the commands are made, too.
    const { region } = ctx.options;
    return { currencies: async () => [region, ctx.options.currency, await ctx.workers.call("currency")] };
  },
});

for (
  const [options, currencies] of [
    [{ region: "US" }, ["US", "USD", "USD"]],
    [undefined, ["EU", "EUR", "EUR"]],
  ] as const
) {
  test(`ctx.options of ${JSON.stringify(options)} are what optionsSchema makes of them, in module and worker`, async () => {
    const t = await MemoryTree.up([shop], { settings: { shop: { options } } });
    assert.deepEqual(await t.ends(t.core.call("shop", "currencies")), currencies);
  });
}

test("a module whose options are wrong fails its start with the path, and is not started again", async () => {
  const t = await MemoryTree.up([shop], { settings: { shop: { options: { region: "XX" } } } });
  await t.rest(60_000);
  const why = "start of the module failed: options.region: must be EU or US";
  await assert.rejects(t.core.call("shop", "currencies"), (error: unknown) => {
    assert.ok(error instanceof ProcessGoneError);
    assert.ok(error.message.includes(why), error.message);
    return true;
  });
  assert.deepEqual(
    t.lines(/^process\.(failed|starting)/).map((line) => line.slice(line.indexOf("MainThread ] ") + 13)),
    [
      "shop is starting (generation 1)",
      `shop will not be started again: ${why}; what to do: mend the cause, then run "brokkr restart shop"`,
    ],
  );
  const { modules: [status] } = await t.core.status();
  assert.deepEqual([status?.state, status?.restarts], ["failed", 0]);
});

test("defineModule() refuses an optionsSchema that follows no Standard Schema", () => {
  const definition: unknown = { name: "shop", optionsSchema: { region: "EU" } };
  assert.throws(() => defineModule(definition as ModuleDefinition), {
    message: 'Module "shop": optionsSchema must follow Standard Schema, and it is an object',
  });
});
