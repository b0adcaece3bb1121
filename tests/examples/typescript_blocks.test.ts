import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { ROOT, run, runtimeName } from "./command.ts";
import { allPages, blocksOf } from "./pages.ts";
import { isOfTypeScript } from "./trials.ts";

test("every block of TypeScript that is no file of a walk compiles and runs as it stands", {
  skip: runtimeName === "deno" ? false : "Deno's compiler takes blocks out of pages; the blocks are its suite's",
}, async () => {
  const pages = [];
  for (const page of await allPages()) if ((await blocksOf(page)).some(isOfTypeScript)) pages.push(page);
  assert.ok(pages.includes("docs/calls.md"));
  // A page shows brokkr beside packages that only its reader has.
  const packages = ["--config", "dev/deno.json", "--node-modules-dir=manual"];
  const ended = await run([process.execPath, "test", "-A", ...packages, "--doc", ...pages], { cwd: ROOT });
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  assert.match(ended.stdout, /docs\/calls\.md#/);
});
