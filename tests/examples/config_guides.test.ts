import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CLI, runtimeName, temporaryFolder } from "./command.ts";
import { follow, type Step, stepsOf } from "./guide.ts";

test("docs/configuration.md, Try it: the commands print what the text says", async () => {
  const steps = await stepsOf("docs/configuration.md", "Try it");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 2);
  await inEmptyFolder(steps);
});

test("docs/security.md, A module with fewer rights: the commands print what the text says", {
  skip: runtimeName === "deno" ? false : "only Deno can give a process fewer rights",
}, async () => {
  const steps = await stepsOf("docs/security.md", "A module with fewer rights");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 3);
  await inEmptyFolder(steps);
});

async function inEmptyFolder(steps: readonly Step[]): Promise<void> {
  await using temporary = await temporaryFolder();
  const [folder, programs, sockets] = ["empty", "bin", "run"].map((name) => join(temporary.path, name));
  assert.ok(folder !== undefined && programs !== undefined && sockets !== undefined);
  for (const path of [folder, programs, sockets]) await mkdir(path, { mode: 0o700 });
  const brokkr = join(programs, "brokkr");
  await writeFile(brokkr, `#!/bin/sh\nexec ${CLI.map((part) => `'${part}'`).join(" ")} "$@"\n`);
  await chmod(brokkr, 0o755);
  const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}`, XDG_RUNTIME_DIR: sockets };
  await follow(steps, { folder, env, replace: {} });
}
