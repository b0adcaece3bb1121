import assert from "node:assert/strict";
import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ROOT, runtimeName, temporaryFolder } from "./command.ts";
import { follow, type FollowOptions, stepsOf } from "./guide.ts";
import { builtBinary, builtPackage } from "./package.ts";

// Each part is for the runtimes that it names: Deno follows the one, Node and Bun the other.
if (runtimeName === "deno") {
  test("docs/getting-started.md, The binary: an empty folder becomes what the text says", async () => {
    const steps = await stepsOf("docs/getting-started.md", "The binary");
    assert.equal(steps.filter(({ kind }) => kind === "command").length, 11);
    await inEmptyFolder(async (options) => {
      const programs = await builtBinary(options.folder);
      const env = { ...options.env, PATH: `${programs}:/bin:/usr/bin` };
      await follow(steps, { ...options, env });
    });
  });

  test("docs/getting-started.md, From Deno: an empty folder becomes what the text says, with -A and with named rights", async () => {
    const steps = await stepsOf("docs/getting-started.md", "From Deno");
    assert.equal(steps.filter(({ kind }) => kind === "command").length, 4);
    await inEmptyFolder(async (options) => await follow(steps, options));
  });
} else {
  test("docs/getting-started.md, In a Node project: an empty folder becomes what the text says", async () => {
    const steps = await stepsOf("docs/getting-started.md", "In a Node project");
    assert.equal(steps.filter(({ kind }) => kind === "command").length, 7);
    await inEmptyFolder(async ({ replace, ...options }) => {
      // "With Bun, write `bun main.js`", and "`bunx --bun brokkr`", which is `bun x --bun brokkr`.
      const asTold = runtimeName === "bun"
        ? { " node ": " bun ", "node --test": "bun test", "npx brokkr": "bun x --bun brokkr" }
        : {};
      const npm = await builtPackage(options.folder);
      await follow(steps, { ...options, replace: { "PATH-TO/brokkr/npm": npm, ...asTold, ...replace } });
    });
  });
}

async function inEmptyFolder(body: (options: FollowOptions) => Promise<void>): Promise<void> {
  await using temporary = await temporaryFolder();
  const [folder, programs, sockets] = [
    join(temporary.path, "empty folder"),
    join(temporary.path, "bin"),
    join(temporary.path, "run"),
  ];
  await Promise.all([mkdir(folder), mkdir(programs), mkdir(sockets, { mode: 0o700 })]);
  // The name in the text is this runtime, wherever it is installed.
  await symlink(process.execPath, join(programs, runtimeName));
  const path = [programs, dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
  await body({
    folder,
    env: { PATH: path, XDG_RUNTIME_DIR: sockets },
    replace: { "PATH-TO/brokkr": ROOT.replace(/\/$/, "") },
  });
}
