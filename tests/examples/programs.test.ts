import assert from "node:assert/strict";
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { EVERYTHING, tsserver, TYPESCRIPT_SERVER, withoutPython } from "../process/program_files.ts";
import { ROOT, runtimeName } from "./command.ts";
import { follow, type FollowOptions, stepsOf } from "./guide.ts";
import { builtPackage } from "./package.ts";
import { brokkrFolder } from "./project.ts";

const PYTHON = { skip: withoutPython() };

test("docs/programs.md, A Python script as a module: every command prints what the text says", PYTHON, async () => {
  const steps = await stepsOf("docs/programs.md", "A Python script as a module");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 5);
  await inEmptyFolder(async (options) => {
    await copyFile(join(ROOT, "examples/python/prices.py"), join(options.folder, "prices.py"));
    await follow(steps, options);
  });
});

test("docs/programs.md, An MCP server under supervision: every command prints what the text says", async () => {
  const steps = await stepsOf("docs/programs.md", "An MCP server under supervision");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 4);
  const replace = { '["npx", "-y", "@modelcontextprotocol/server-everything"]': JSON.stringify(EVERYTHING) };
  await inEmptyFolder(async (options) => await follow(steps, { ...options, replace }));
});

test("docs/programs.md, A module for any client: every command prints what the text says", async () => {
  const steps = await stepsOf("docs/programs.md", "A module for any client");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 1);
  await inEmptyFolder(async (options) => await follow(steps, options));
});

// Its package is for Node and Bun.
if (runtimeName !== "deno") {
  test("docs/programs.md, A language server from your program: the program prints what the text says", async () => {
    const steps = await stepsOf("docs/programs.md", "A language server from your program");
    assert.equal(steps.filter(({ kind }) => kind === "command").length, 1);
    await inEmptyFolder(async (options) => {
      await mkdir(join(options.folder, "node_modules"));
      await symlink(await builtPackage(options.folder), join(options.folder, "node_modules/brokkr"));
      const replace = {
        '["npx", "typescript-language-server", "--stdio"]': JSON.stringify(TYPESCRIPT_SERVER),
        "initializationOptions: {": `initializationOptions: { tsserver: { path: ${JSON.stringify(tsserver())} },`,
        ...(runtimeName === "bun" ? { "node hover": "bun hover" } : {}),
      };
      await follow(steps, { ...options, replace });
    });
  });
}

test("examples/python/README.md, A module in Python: the commands print what the text says", PYTHON, async () => {
  const steps = await stepsOf("examples/python/README.md", "A module in Python");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 2);
  // From a clone of the repository.
  await inEmptyFolder(async (options) => await follow(steps, { ...options, folder: ROOT, quiet: true }));
});

/** A folder of the reader's own, where this runtime has its name, too. */
async function inEmptyFolder(body: (options: FollowOptions) => Promise<void>): Promise<void> {
  await using project = await brokkrFolder();
  const { folder, env } = project;
  const programs = join(folder, "..", "bin");
  await symlink(process.execPath, join(programs, runtimeName));
  const path = [programs, dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
  await body({ folder, env: { ...env, PATH: path }, replace: {} });
}
