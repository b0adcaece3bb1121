import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CLI, ROOT, run, runtimeName, start, temporaryFolder } from "./command.ts";
import { shownOutput } from "./readme.ts";

const CONFIG = join(ROOT, "examples/config/brokkr.json");
const readsTypeScript = runtimeName !== "node" || Reflect.get(process.features, "typescript") !== undefined;

test("the config example runs a TypeScript and a plain module, and answers the calls of its README", {
  skip: readsTypeScript ? false : "this Node cannot load TypeScript; the next test shows what it says",
}, async () => {
  await using folder = await temporaryFolder();
  const env = { XDG_RUNTIME_DIR: folder.path };
  await using broker = start([...CLI, "run", CONFIG], { env });
  const call = async (...args: string[]) => await run([...CLI, "call", "--broker", "shop", ...args], { env });
  while ((await run([...CLI, "status", "--broker", "shop"], { env })).code !== 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const answers = [
    await call("stock", "get_value", "bolt"),
    await call("stock", "get_low"),
    await call("prices", "get_total", "bolt", "nut"),
  ];
  assert.deepEqual(answers.map(({ code }) => code), [0, 0, 0], answers.map(({ stderr }) => stderr).join(""));
  assert.equal(answers.map(({ stdout }) => stdout).join(""), await shownOutput("config"));

  const failed = await call("prices", "get_price", "screw");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /RangeError: "screw" has no price/);

  const status = JSON.parse((await run([...CLI, "status", "--json", "--broker", "shop"], { env })).stdout);
  assert.deepEqual(status.modules.map((module: { name: string }) => module.name), ["stock", "prices"]);
  assert.equal(status.modules[1].workers.length, 2);

  broker.signal("SIGTERM");
  assert.equal((await broker.ended).code, 0);
});

test("the config example is refused where TypeScript can't be loaded, with what to do", {
  skip: readsTypeScript ? "this runtime loads TypeScript" : false,
}, async () => {
  const { code, stderr } = await run([...CLI, "run", CONFIG]);
  assert.equal(code, 2);
  assert.match(stderr, /stock\.ts.*Node 20\.\S+ cannot load TypeScript, compile it to JavaScript or run brokkr with/);
});
