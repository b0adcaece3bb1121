import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { installBrokkr, ROOT, temporaryFolder } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";

const PARTS: readonly (readonly [title: string, commands: number])[] = [
  ["What happened last night", 4],
  ["Which command is slow", 1],
  ["Which module crashes", 1],
  ["The log of an older installation", 1],
];

for (const [title, count] of PARTS) {
  test(`docs/log-analysis.md, ${title}: each command prints what the text says`, async () => {
    const steps = await stepsOf("docs/log-analysis.md", title);
    assert.equal(steps.filter(({ kind }) => kind === "command").length, count);
    await using temporary = await temporaryFolder();
    const [folder, programs] = [join(temporary.path, "night"), join(temporary.path, "bin")];
    await Promise.all([mkdir(folder), mkdir(programs)]);
    for (const name of ["broker.log", "broker.log.1"]) {
      await copyFile(join(ROOT, "tests/fixtures/log/night", name), join(folder, name));
    }
    await installBrokkr(programs);
    const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}` };
    await follow(steps, { folder, env, replace: {} });
  });
}
