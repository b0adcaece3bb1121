// env of a module: which variables its processes get, and which those of the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import type { ModuleDefinition } from "../../../src/core/module/definition.ts";
import type { EnvSettings } from "../../../src/core/settings/settings.ts";
import { settle } from "../manual_clock.ts";
import { FakeBroker } from "./fake_broker.ts";
import { MemoryTree } from "./memory_tree.ts";

const OF_BROKER = { TOKEN: "broker's", KEY: "broker's", PATH: "/bin" };
const VARIABLES = [...Object.keys(OF_BROKER), "LEVEL"];

/** The variables that each of modules a and b is started with, where each loads its own file. */
async function started(a: EnvSettings, b: EnvSettings = []): Promise<unknown[]> {
  const t = new FakeBroker({ a: { env: a }, b: { env: b } }, { files: () => [] });
  for (const [name, value] of Object.entries(OF_BROKER)) t.runtime.env.set(name, value);
  void t.core.start();
  await settle();
  return ["a", "b"].map((name) => {
    const { env } = t.life(name);
    return Object.fromEntries(VARIABLES.flatMap((name) => env[name] === undefined ? [] : [[name, env[name]]]));
  });
}

test("a list names variables that the other modules do not get", async () => {
  const { TOKEN: _, ...others } = OF_BROKER;
  assert.deepEqual(await started(["TOKEN"]), [OF_BROKER, others]);
});

test("in an object a text is the module's own value and takes nothing from the others, and true is as in a list", async () => {
  const { TOKEN: _, ...others } = OF_BROKER;
  assert.deepEqual(await started({ TOKEN: true, KEY: "a's", LEVEL: "debug" }), [
    { ...OF_BROKER, KEY: "a's", LEVEL: "debug" },
    others,
  ]);
});

test("what one module claims, another that gives it a value keeps with that value", async () => {
  const { TOKEN: _, ...others } = OF_BROKER;
  assert.deepEqual(await started({ TOKEN: true }, { TOKEN: "b's" }), [OF_BROKER, { ...others, TOKEN: "b's" }]);
});

test("what a module claims while another one is reloaded is kept from the next process of that one", async () => {
  const t = new FakeBroker({ a: {} }, { files: () => [] });
  t.runtime.env.set("TOKEN", "broker's");
  void t.core.start();
  await settle();
  await t.up("a");
  const reloaded = t.core.reload("a");
  await settle();
  const followed = t.follow({ a: {}, b: { env: ["TOKEN"] } });
  await settle();
  await t.up("a", "b");
  await t.lives("a")[0]?.exit({ code: 0, signal: null });
  await Promise.all([reloaded, followed]);
  void t.core.restart("a");
  await settle();
  await t.down("a");
  const [first, , third] = t.lives("a");
  assert.deepEqual([first?.env["TOKEN"], third?.env["TOKEN"]], ["broker's", undefined]);
});

test("in a program the cleanup removes what others claim with true, and leaves what they give a value", async () => {
  const seen: Record<string, unknown> = {};
  const commands = {};
  const a = defineModule({ name: "a", commands, env: { TOKEN: true, KEY: "a's" } });
  const b = defineModule({ name: "b", commands });
  const t = new MemoryTree([a, b]);
  for (const [name, value] of Object.entries(OF_BROKER)) t.runtime.env.set(name, value);
  await t.ends(t.core.start());
  for (const name of ["a", "b"]) {
    const { env } = t.process(name);
    seen[name] = [env.get("TOKEN"), env.get("KEY")];
  }
  assert.deepEqual(seen, { a: ["broker's", "a's"], b: [undefined, "broker's"] });
});

for (
  const [env, message] of [
    [
      "TOKEN=s3cret",
      "env must be a list of names of environment variables, or an object of values by name, and it is a text",
    ],
    [
      ["TOKEN=s3cret"],
      'env.0 must be the name of an environment variable, and it has "=" in it: write values as { "NAME": "value" }',
    ],
    [[""], "env.0 must be the name of an environment variable, and it is empty"],
    [{ PIN: 1234 }, "env.PIN must be a text without NUL, or true, and it is a number"],
    [{ PIN: false }, "env.PIN must be a text without NUL, or true, and it is a boolean"],
    [{ PIN: "s3\0" }, "env.PIN must be a text without NUL, or true, and it is a text with NUL"],
    [{ "A=B": "x" }, 'env.A=B must be under the name of an environment variable, and it is under "A=B"'],
  ] satisfies [unknown, string][]
) {
  test(`defineModule() refuses env ${JSON.stringify(env).slice(0, 8)}… without its value: ${message}`, () => {
    const definition: unknown = { name: "sla", env };
    assert.throws(() => defineModule(definition as ModuleDefinition), { message: `Module "sla": ${message}` });
  });
}
