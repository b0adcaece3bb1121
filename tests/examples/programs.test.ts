import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { EVERYTHING, tsserver, TYPESCRIPT_SERVER, withoutPython } from "../process/program_files.ts";
import { CLI, ROOT, run, runtimeName, start, temporaryFolder } from "./command.ts";
import { follow, type FollowOptions, stepsOf } from "./guide.ts";
import { builtPackage } from "./package.ts";
import { shownOutput } from "./readme.ts";

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

test("the Python example answers the calls of its README", PYTHON, async () => {
  await using folder = await temporaryFolder();
  const env = { XDG_RUNTIME_DIR: folder.path };
  await using broker = start([...CLI, "run", join(ROOT, "examples/python/brokkr.json")], { env });
  const brokkr = async (...args: string[]) => await run([...CLI, ...args, "--broker", "fruit"], { env });
  while ((await brokkr("status")).code !== 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const calls = [
    await brokkr("call", "prices", "price", "apple"),
    await brokkr("call", "prices", "total", '{"items":{"apple":3,"pear":2},"discount":0.1}'),
  ];
  assert.equal(calls.map(({ stdout }) => stdout).join(""), await shownOutput("python"));
  broker.signal("SIGTERM");
  assert.equal((await broker.ended).code, 0);
});

/** A folder of the reader's own, where `brokkr` is the command line in this runtime. */
async function inEmptyFolder(body: (options: FollowOptions) => Promise<void>): Promise<void> {
  await using temporary = await temporaryFolder();
  const [folder, programs, sockets] = ["empty folder", "bin", "run"].map((name) => join(temporary.path, name));
  if (folder === undefined || programs === undefined || sockets === undefined) return;
  await Promise.all([folder, programs, sockets].map((path) => mkdir(path, { mode: 0o700 })));
  const words = CLI.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const shim = join(programs, "brokkr");
  await writeFile(shim, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(shim, 0o755);
  await symlink(process.execPath, join(programs, runtimeName));
  const path = [programs, dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
  await body({ folder, env: { PATH: path, XDG_RUNTIME_DIR: sockets }, replace: {} });
}
