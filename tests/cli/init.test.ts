import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { configSchema } from "../../src/cli/config/json_schema.ts";
import { inSandbox, type Sandbox } from "./cli_process.ts";

test("brokkr init writes a module, its test and a configuration that run at once", () =>
  inSandbox(async (sandbox) => {
    const { code, stdout, stderr } = await sandbox.run(["init", "first one"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const folder = join(sandbox.folder, "first one");
    const files = readdirSync(folder).sort();
    assert.deepEqual(files.map((file) => file.replace(/m?[jt]s$/, "")).sort(), [
      "brokkr.json",
      "brokkr.schema.json",
      "hello.",
      "hello.test.",
    ]);
    for (const name of files) assert.ok(stdout.includes(name));
    assert.equal((await sandbox.run(["check"], { cwd: folder })).code, 0);

    const [, enter = "", run = "", call = "", status = "", runTest = ""] = commandsIn(stdout);
    assert.equal(enter, "cd 'first one'");
    const broker = sandbox.start(["run"], { cwd: folder });
    await broker.printed("stderr", "The broker is ready");
    assert.match(run, / run$/);
    assert.equal(await shell(sandbox, call), "Hello world\n");
    assert.match(await shell(sandbox, status), /hello +ready/);
    await shell(sandbox, `cd 'first one'; ${runTest}`);
    assert.equal((await sandbox.run(["stop"])).code, 0);
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr init writes the language that is asked for, and names the schema where there is one", () =>
  inSandbox(async (sandbox) => {
    mkdirSync(join(sandbox.folder, "node_modules/brokkr/schema"), { recursive: true });
    writeFileSync(join(sandbox.folder, "node_modules/brokkr/schema/brokkr.schema.json"), "{}");
    assert.equal((await sandbox.run(["init", "--js"])).code, 0);
    const config = JSON.parse(readFileSync(join(sandbox.folder, "brokkr.json"), "utf8"));
    assert.equal(config.$schema, "./node_modules/brokkr/schema/brokkr.schema.json");
    assert.deepEqual(config.modules, { hello: { path: "./hello.mjs" } });
    assert.equal((await sandbox.run(["check"])).code, 0);
    assert.equal((await sandbox.run(["init", "--js", "--ts", "other"])).code, 2);
    const taken = await sandbox.run(["init", "--js", "other", "--name", "hello"]);
    const why = 'Cannot name the broker "hello": a module has that name, give it another one with --name\n';
    assert.deepEqual([taken.code, taken.stderr, existsSync(join(sandbox.folder, "other"))], [2, why, false]);
    const { code, stderr } = await sandbox.run(["init", "--ts", "hello"]);
    if (code === 2) assert.match(stderr, /^Cannot write TypeScript: Node .* cannot load TypeScript, /);
    else assert.equal(JSON.parse(readFileSync(join(sandbox.folder, "hello/brokkr.json"), "utf8")).name, "hello-broker");
  }));

test("brokkr init goes by the folder where no language is asked for, and takes both names of one", () =>
  inSandbox(async (sandbox) => {
    const written = async (name: string, files: readonly string[], options: readonly string[] = []) => {
      const folder = join(sandbox.folder, name);
      mkdirSync(folder);
      for (const file of files) writeFileSync(join(folder, file), "{}");
      const { code, stderr } = await sandbox.run(["init", ...options], { cwd: folder });
      assert.deepEqual([code, stderr], [0, ""]);
      return readdirSync(folder).find((file) => /^hello\.m?[jt]s$/.test(file));
    };
    assert.equal(await written("package", ["package.json"]), "hello.mjs");
    assert.equal(await written("asked", [], ["--javascript"]), "hello.mjs");
    const typescript = (await sandbox.run(["init", "--typescript", "probe"])).code === 0;
    const expected = typescript ? /^hello\.m?ts$/ : /^hello\.mjs$/;
    assert.match(await written("empty", []) ?? "", expected);
    assert.match(await written("both", ["package.json", "tsconfig.json"]) ?? "", expected);
  }));

test("brokkr init overwrites nothing", () =>
  inSandbox(async (sandbox) => {
    writeFileSync(join(sandbox.folder, "brokkr.jsonc"), "mine");
    writeFileSync(join(sandbox.folder, "hello.mjs"), "mine");
    const { code, stdout, stderr } = await sandbox.run(["init", "--js"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      `Cannot write a first module to "${sandbox.folder}": ` +
        `"brokkr.jsonc", "hello.mjs" would be overwritten, name another folder\n`,
    );
    assert.equal(existsSync(join(sandbox.folder, "brokkr.json")), false);
    assert.equal(readFileSync(join(sandbox.folder, "hello.mjs"), "utf8"), "mine");
    const notFolder = await sandbox.run(["init", "hello.mjs"]);
    assert.equal(notFolder.code, 2);
  }));

/** The command lines that the text tells to type, after its first line. */
function commandsIn(text: string): string[] {
  return text.split("\n").map((line) => line.match(/^ {2}(.+?)(?: {2,}.*)?$/)?.[1] ?? "").filter((line, index) =>
    index === 0 || line !== ""
  );
}

async function shell(sandbox: Sandbox, line: string): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)("/bin/sh", ["-ec", line], {
    cwd: sandbox.folder,
    env: {
      ...env,
      NO_COLOR: "1",
      XDG_RUNTIME_DIR: sandbox.runtimeFolder,
      PATH: [process.execPath.slice(0, process.execPath.lastIndexOf("/")), env["PATH"] ?? ""].join(":"),
    },
  });
  return stdout;
}

test("brokkr init names the product after the project, and writes the schema where no package has it", () =>
  inSandbox(async (sandbox) => {
    const configOf = async (name: string, files: Readonly<Record<string, string>>) => {
      const folder = join(sandbox.folder, name);
      mkdirSync(folder);
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      const { code, stderr } = await sandbox.run(["init", "--js", "--name", "mine"], { cwd: folder });
      assert.deepEqual([code, stderr], [0, ""]);
      return JSON.parse(readFileSync(join(folder, "brokkr.json"), "utf8"));
    };
    const scoped = await configOf("one", { "package.json": '{ "name": "@acme/web-shop" }' });
    assert.deepEqual([scoped.$schema, scoped.name, scoped.product], ["./brokkr.schema.json", "mine", "web-shop"]);
    assert.equal((await configOf("My Shop", { "package.json": "{}", "deno.json": "no JSON" })).product, "My Shop");
    const schema = JSON.parse(readFileSync(join(sandbox.folder, "one/brokkr.schema.json"), "utf8"));
    assert.deepEqual(schema, JSON.parse(JSON.stringify(configSchema())));
  }));
