import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ROOT, run, runtimeName, temporaryFolder } from "./command.ts";
import { follow, type Step, stepsOf } from "./guide.ts";
import { builtPackage } from "./package.ts";

const PAGE = "docs/testing.md";
const RECIPES = {
  node: ["node --test", "Stubs", "With processes"],
  deno: ["deno test"],
  bun: ["bun test", "Stubs", "With processes"],
};

for (const part of RECIPES[runtimeName]) {
  test(`${PAGE}, ${part}: an empty folder becomes what the text says`, { timeout: 60_000 }, async () => {
    await using temporary = await temporaryFolder();
    const [folder, programs] = [join(temporary.path, "empty folder"), join(temporary.path, "bin")];
    await Promise.all([mkdir(folder), mkdir(programs)]);
    // The name in the text is this runtime, wherever it is installed.
    await symlink(process.execPath, join(programs, runtimeName));
    const modules = (await stepsOf(PAGE, "The modules")).filter((step) => runtimeName === "deno" || !isOfDeno(step));
    if (runtimeName !== "deno") {
      await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
      await mkdir(join(folder, "node_modules"));
      await symlink(await builtPackage(temporary.path), join(folder, "node_modules/brokkr"));
    }
    const path = [programs, dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
    const env = { PATH: path };
    const replace = {
      "PATH-TO/brokkr": ROOT.replace(/\/$/, ""),
      ...(runtimeName === "bun" ? { "node --test": "bun test --timeout 50000" } : {}),
    };
    await follow([...modules, ...await stepsOf(PAGE, part)], { folder, env, replace });
  });
}

test(`${PAGE}: a test that fails in a recipe fails its run`, { timeout: 60_000 }, async () => {
  await using temporary = await temporaryFolder();
  const steps = await stepsOf(PAGE, RECIPES[runtimeName][0] ?? "");
  assert.deepEqual(steps.map(({ kind }) => kind), ["file", "command"]);
  const [file, command] = steps;
  assert.ok(file?.kind === "file" && command?.kind === "command");
  await writeFile(join(temporary.path, file.name), file.text);
  // There are no modules beside it.
  const { code } = await run(["/bin/sh", "-ec", command.text], { cwd: temporary.path });
  assert.notEqual(code, 0);
});

function isOfDeno(step: Step): boolean {
  return step.kind === "file" && step.name === "deno.json";
}
