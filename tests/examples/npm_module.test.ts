import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inThisRuntime, ROOT, run, start, temporaryFolder } from "./command.ts";
import { builtPackage } from "./package.ts";
import { shownOutput } from "./readme.ts";

test("the npm-module example loads the module's own dependency in the module's process", async () => {
  await using folder = await temporaryFolder();
  const project = join(folder.path, "project");
  await cp(join(ROOT, "examples/npm-module"), project, { recursive: true });
  const npm = ["npm", "install", "--no-audit", "--no-fund", "--install-links", await builtPackage(folder.path)];
  const installed = await run(npm, { cwd: project });
  assert.equal(installed.code, 0, installed.stderr);

  const options = { cwd: project, env: { XDG_RUNTIME_DIR: folder.path } };
  const brokkr = inThisRuntime(join(project, "node_modules/brokkr/cli.js"));
  await using broker = start([...brokkr, "run"], options);
  while ((await run([...brokkr, "status"], options)).code !== 0) await new Promise((done) => setTimeout(done, 50));
  const short = await run([...brokkr, "call", "durations", "format", "1337000000"], options);
  const long = await run([...brokkr, "call", "durations", "format_long", "1337000000"], options);
  assert.equal(short.stdout + long.stdout, await shownOutput("npm-module"), short.stderr + long.stderr);
  broker.signal("SIGTERM");
  assert.equal((await broker.ended).code, 0);
});
