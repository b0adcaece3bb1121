// A file of MCP servers, as the clients of the protocol share it, in place of a configuration.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../src/cli/config/document.ts";
import { serversAsModules } from "../../src/cli/config/mcp_file.ts";
import { type Config, type ConfigProgram, readConfig } from "../../src/cli/config/read_config.ts";
import { inSandbox } from "./cli_process.ts";
import { inFolder, runtime } from "./config_faults.ts";

const SECRET = "s3cret";

/** With a few variables of its own. */
function withEnv(variables: Readonly<Record<string, string>>) {
  return { ...runtime, env: { ...runtime.env, get: (name: string) => variables[name] } };
}

interface Read {
  readonly folder: string;
  readonly config: Config;
  readonly programs: readonly ConfigProgram[];
}

/** Reads `text` as a file named `file`. */
async function read(
  text: string,
  { file = "mcp.json", env = {}, name }: { file?: string; env?: Record<string, string>; name?: string } = {},
): Promise<Read> {
  let made: Read | undefined;
  await inFolder(async (folder) => {
    writeFileSync(join(folder, file), text);
    const config = await readConfig(join(folder, file), withEnv(env), name);
    made = { folder, config, programs: config.modules.filter((module) => "program" in module) };
  });
  if (made === undefined) throw new Error("nothing was read");
  return made;
}

/** What is wrong with `text`, without the folder. */
async function faultsOf(text: string, options: Parameters<typeof read>[1] = {}): Promise<readonly string[]> {
  try {
    await read(text, options);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  }
}

test("a file with mcpServers is a broker named after it, whose modules are MCP servers in the file's folder", async () => {
  const { folder, config, programs } = await read(`{
    "inputs": [], // of another client
    "mcpServers": {
      "files": { "command": "./bin/files", "args": ["--root", "./data", ""], "cwd": "sub", "autoApprove": ["read"] },
      "fetch": { "type": "stdio", "command": "uvx" },
      "off": { "command": "nope", "disabled": true }
    } }`);
  assert.deepEqual([config.broker, config.load, config.leftOut], [{ name: "mcp" }, "own", []]);
  assert.deepEqual(programs.map(({ program, settings }) => [program, settings]), [
    [
      { name: "files", command: [join(folder, "bin/files"), "--root", "./data", ""], protocol: "mcp" },
      { cwd: join(folder, "sub") },
    ],
    [{ name: "fetch", command: ["uvx"], protocol: "mcp" }, { cwd: folder }],
  ]);
});

test("a file of VS Code has its servers under servers, which start in the project, and takes ${env:VAR} and ${workspaceFolder}", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, ".vscode", "mcp.json");
    mkdirSync(join(folder, ".vscode"));
    const text = (args: string, more = "") =>
      `{ "inputs": [{ "id": "key" }], "servers": { "a": { "type": "stdio", "command": "./a", "args": ${args}${more} } } }`;
    writeFileSync(file, text('["${workspaceFolder}/data", "${env:KEY}", "${env:NONE:-x}"]'));
    const { broker, modules } = await readConfig(file, withEnv({ KEY: SECRET }));
    assert.deepEqual([broker.name, modules.map(({ settings: { cwd } }) => cwd)], ["mcp", [folder]]);
    const [a] = modules;
    assert.ok(a !== undefined && "program" in a);
    assert.deepEqual(a.program.command, [join(folder, "a"), join(folder, "data"), SECRET, "x"]);
    writeFileSync(file, text('["-v"]'));
    const { modules: { a: made } } = await serversAsModules(file, folder);
    assert.deepEqual(made, { command: "./a", args: ["-v"], protocol: "mcp" });
    writeFileSync(file, text('["--key=${input:key}"]', ', "envFile": ".env"'));
    await assert.rejects(readConfig(file, runtime), (error: ConfigError) => {
      assert.deepEqual(error.problems.map(({ message }) => message), [
        "${input:key} is what only an editor knows: write ${NAME}, and set the variable NAME",
        'servers.a.envFile is not read, name its variables in "env"',
      ]);
      return true;
    });
  });
});

for (
  const [file, options, name] of [
    [".mcp.json", {}, "mcp"],
    ["claude_desktop_config.json", {}, "claude_desktop_config"],
    ["my tools.jsonc", {}, "my-tools"],
    ["mcp.json", { name: "tools" }, "tools"],
  ] satisfies [string, { name?: string }, string][]
) {
  test(`the broker of ${file} with ${JSON.stringify(options)} is named ${name}`, async () => {
    const { config } = await read('{ "mcpServers": { "a": { "command": "x" } } }', { file, ...options });
    assert.equal(config.broker.name, name);
  });
}

test("${VAR} and ${VAR:-default} stand for variables of the environment in args and env, and are shown as written", async () => {
  const { programs: [program] } = await read(
    '{ "mcpServers": { "a": { "command": "${X}", "args": ["--key=${KEY}", "${NONE:-by default}${EMPTY:-1}", "$KEY", "${EMPTY}"],\n' +
      '"env": { "TOKEN": "Bearer ${KEY}", "LEVEL": "debug" } } } }',
    { env: { KEY: SECRET, EMPTY: "" } },
  );
  assert.deepEqual(program?.program.command, ["${X}", `--key=${SECRET}`, "by default1", "$KEY", ""]);
  assert.deepEqual(program?.settings.env, { TOKEN: `Bearer ${SECRET}`, LEVEL: "debug" });
  assert.deepEqual(program?.written, ["${X}", "--key=${KEY}", "${NONE:-by default}${EMPTY:-1}", "$KEY", "${EMPTY}"]);
});

test("brokkr.json has no variables: what looks like one stays as it is", async () => {
  const { programs: [program] } = await read(
    '{ "name": "b", "modules": { "a": { "command": "x", "args": ["${KEY}"], "env": { "K": "${KEY}" } } } }',
    { env: { KEY: SECRET } },
  );
  assert.deepEqual([program?.program.command, program?.settings.env], [["x", "${KEY}"], { K: "${KEY}" }]);
});

test("a server that is reached over HTTP is left out with its place, and alone it is an error", async () => {
  const text = (rest: string) =>
    `{ "mcpServers": {\n"web": { "type": "http", "url": "https://a/?key=${SECRET}" },\n"sse": { "url": "b" }${rest} } }`;
  const why = "brokkr runs servers that speak over standard input and output, and this one is reached over HTTP; " +
    "give it the command of a bridge to it";
  const { config } = await read(text(', "a": { "command": "x" }'));
  assert.deepEqual(config.modules.map(({ name }) => name), ["a"]);
  const said = [`2:1: server "web" is left out: ${why}`, `3:1: server "sse" is left out: ${why}`];
  assert.deepEqual(config.leftOut.map(({ line, column, message }) => `${line}:${column}: ${message}`), said);
  assert.deepEqual(await faultsOf(text("")), said);
});

test("what is wrong with a file of servers is said with its place, and no value of env is shown", async () => {
  const faults = await faultsOf(
    `{ "mcpServers": {\n"a b": { "command": "x" },\n"b": { "comand": "x" },\n"c": { "command": "x", "arg": [] },\n` +
      `"d": { "command": "x", "env": { "KEY": 12345 } },\n"e": { "command": "x", "args": ["\${GONE}"] },\n` +
      `"f": "x",\n"mcp": { "command": "x" },\n"mcp": { "command": "y" } } }`,
  );
  assert.deepEqual(faults, [
    "2:1: the name of a server must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, as it is called by it",
    "3:6: mcpServers.b has neither command nor url, add the command that starts the server",
    '3:8: unknown key "comand": did you mean "command"',
    '4:24: unknown key "arg": did you mean "args"',
    "5:31: mcpServers.d.env must be an object of texts by name",
    '6:33: environment variable "GONE" is not set: set it, or give it a default as in ${GONE:-default}',
    '7:6: mcpServers.f must be an object, and it is "x"',
    '8:1: server "mcp" has the broker\'s name, which is that of the file: give another one with --name',
    '9:1: duplicate key "mcp": it is in line 8 too, remove one',
  ]);
  assert.deepEqual(await faultsOf('{ "mcpServers": [] }'), [
    "1:17: mcpServers must be an object of servers by name, and it is a list",
  ]);
});

test("serversAsModules() keeps where servers start, and takes true for a variable of the same name", () =>
  inFolder(async (folder) => {
    const file = join(folder, "mcp.json");
    writeFileSync(
      file,
      '{ "mcpServers": { "a": { "command": "./bin/a", "args": ["-v"], "env": { "KEY": "${KEY}", "LEVEL": "debug" } } } }',
    );
    const a = { command: "../bin/a", args: ["-v"], protocol: "mcp", env: { KEY: true, LEVEL: "debug" }, cwd: ".." };
    assert.deepEqual(await serversAsModules(file, join(folder, "sub")), { modules: { a }, leftOut: [] });
    writeFileSync(file, '{ "mcpServers": { "a": { "command": "x", "args": ["${KEY}"], "env": { "K": "${KEY}" } } } }');
    await assert.rejects(serversAsModules(file, folder), (error: ConfigError) => {
      const remedy = 'write the value, or run this file itself with "brokkr run"';
      const said = `\${KEY} is for files of MCP servers, brokkr.json has none: ${remedy}`;
      assert.deepEqual(error.problems.map(({ column, message }) => [column, message]), [[51, said], [76, said]]);
      return true;
    });
  }));

test("brokkr init --from writes the configuration that brokkr check takes, and brokkr check shows no value", () =>
  inSandbox(async (sandbox) => {
    writeFileSync(
      join(sandbox.folder, "mcp.json"),
      `{ "mcpServers": { "a": { "command": "sh", "args": ["-c", "\${SCRIPT:-:}"], "env": { "TOKEN": "${SECRET}" } } } }`,
    );
    const check = await sandbox.run(["check", "mcp.json", "--name", "tools"]);
    assert.deepEqual([check.code, check.stderr], [0, ""]);
    assert.equal(check.stdout, 'mcp.json: broker "tools" with 1 module: a (sh -c ${SCRIPT:-:})\n');
    writeFileSync(
      join(sandbox.folder, "mcp.json"),
      `{ "mcpServers": { "a": { "command": "sh", "args": ["-c", ":"], "env": { "TOKEN": "${SECRET}" } } } }`,
    );
    const taken = await sandbox.run(["init", "--from", "mcp.json", "--name", "a"]);
    const why = 'Cannot name the broker "a": a module has that name, give it another one with --name\n';
    assert.deepEqual([taken.code, taken.stderr], [2, why]);
    const init = await sandbox.run(["init", "--from", "mcp.json", "--name", "tools"]);
    assert.deepEqual([init.code, init.stderr], [0, ""]);
    const { product, ...config } = JSON.parse(readFileSync(join(sandbox.folder, "brokkr.json"), "utf8"));
    assert.equal(typeof product, "string");
    const a = { command: "sh", args: ["-c", ":"], protocol: "mcp", env: { TOKEN: SECRET } };
    assert.deepEqual(config, { $schema: "./brokkr.schema.json", name: "tools", modules: { a } });
    const again = await sandbox.run(["check"]);
    assert.deepEqual([again.code, again.stdout.includes(SECRET)], [0, false]);
    const refused = await sandbox.run(["run", "--name", "x", "main.ts"]);
    assert.deepEqual([refused.code, refused.stderr], [
      2,
      'Cannot run "main.ts" with --name: it is for a configuration, and a program names its broker\n',
    ]);
  }));
