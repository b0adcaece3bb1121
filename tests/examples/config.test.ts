import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CLI, ROOT, run, runtimeName, start, temporaryFolder } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";
import { brokkrFolder } from "./project.ts";

const CONFIG = join(ROOT, "examples/config/brokkr.json");

// Node 20 can't load the TypeScript module of the example, and has the other test.
if (runtimeName !== "node" || Reflect.get(process.features, "typescript")) {
  test("the config example runs a TypeScript and a plain module, and answers", answers);
  test("examples/config/README.md, A broker from a configuration: the commands print what the text says", async () => {
    const steps = await stepsOf("examples/config/README.md", "A broker from a configuration");
    assert.equal(steps.filter(({ kind }) => kind === "command").length, 2);
    await using project = await brokkrFolder();
    // From a clone of the repository.
    await follow(steps, { ...project, folder: ROOT, replace: {}, quiet: true });
  });
} else {
  test("the config example is refused where TypeScript can't be loaded, with what to do", async () => {
    const { code, stderr } = await run([...CLI, "run", CONFIG]);
    assert.equal(code, 2);
    assert.match(stderr, /stock\.ts.*Node 20\.\S+ cannot load TypeScript, compile it to JavaScript or run brokkr with/);
  });
}

async function answers(): Promise<void> {
  await using folder = await temporaryFolder();
  const env = { XDG_RUNTIME_DIR: folder.path };
  const brokkr = async (...args: string[]) => await run([...CLI, ...args, "--broker", "shop"], { env });
  await using broker = start([...CLI, "run", CONFIG], { env });
  while ((await brokkr("status")).code !== 0) await new Promise((resolve) => setTimeout(resolve, 50));

  const failed = await brokkr("call", "prices", "get_price", "screw");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /RangeError: "screw" has no price/);

  const { modules } = JSON.parse((await brokkr("status", "--json")).stdout);
  assert.deepEqual(modules.map((module: { name: string }) => module.name), ["stock", "prices"]);
  assert.equal(modules[1].workers.length, 2);

  broker.signal("SIGTERM");
  assert.equal((await broker.ended).code, 0);
}
