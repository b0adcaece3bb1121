import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ROOT, runtimeName, temporaryFolder } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";
import { builtPackage } from "./package.ts";

/** "With Bun write `bun main.js`, with Deno `deno run -A main.js`". */
const COMMAND = { node: "node", bun: "bun", deno: "deno run -A" }[runtimeName];

test("docs/clean-after-fork.md, Try it: the program prints the receipt that the text shows", async () => {
  const steps = await stepsOf("docs/clean-after-fork.md", "Try it");
  assert.deepEqual(steps.map(({ kind }) => kind), ["file", "file", "file", "file", "command"]);
  await using temporary = await temporaryFolder();
  const [folder, programs] = [join(temporary.path, "project"), join(temporary.path, "bin")];
  await Promise.all([mkdir(join(folder, "node_modules"), { recursive: true }), mkdir(programs)]);
  await symlink(process.execPath, join(programs, runtimeName));
  if (runtimeName === "deno") {
    await writeFile(join(folder, "deno.json"), JSON.stringify({ imports: { brokkr: join(ROOT, "mod.ts") } }));
  } else {
    await symlink(await builtPackage(temporary.path), join(folder, "node_modules", "brokkr"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  }
  const path = [programs, dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
  await follow(steps, { folder, env: { PATH: path }, replace: { " node main.js": ` ${COMMAND} main.js` } });
});
