import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimeName } from "./command.ts";
import { follow, type Step, stepsOf } from "./guide.ts";
import { brokkrFolder } from "./project.ts";

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
  await using project = await brokkrFolder();
  await follow(steps, { ...project, replace: {} });
}
