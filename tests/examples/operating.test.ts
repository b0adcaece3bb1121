import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { installBrokkr, temporaryFolder } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";

test("docs/operating.md, Try it: an empty folder becomes what the text says", async () => {
  const steps = await stepsOf("docs/operating.md", "Try it");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 6);
  await using temporary = await temporaryFolder();
  const [folder, programs, sockets] = ["empty", "bin", "run"].map((name) => join(temporary.path, name));
  assert.ok(folder !== undefined && programs !== undefined && sockets !== undefined);
  await Promise.all([mkdir(folder), mkdir(programs), mkdir(sockets, { mode: 0o700 })]);
  await installBrokkr(programs);
  const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}`, XDG_RUNTIME_DIR: sockets };
  await follow(steps, { folder, env, replace: {} });
});
