import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inSandbox, type Sandbox } from "./cli_process.ts";

const MODULE = (name: string, rest = "") =>
  `export default ({ defineModule }) => defineModule({ name: "${name}"${rest} });\n`;

/** Writes `files`, and a configuration with a module a line from line 2 on. */
function write(sandbox: Sandbox, files: Readonly<Record<string, string>>, settings = ""): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(sandbox.folder, `${name}.mjs`), text);
  const modules = Object.keys(files).map((name) => `"${name}": { "path": "${name}.mjs"${settings} }`);
  writeFileSync(join(sandbox.folder, "brokkr.json"), `{ "name": "b", "modules": {\n${modules.join(",\n")}\n} }\n`);
}

test("brokkr check tells of each module file that is not the module its key says, at its place", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, {
      good: MODULE("good"),
      sla: "export default { commands: { a: 1 } };\n",
      none: "export const nothing = 1;\n",
      throws: "throw new Error('no disk');\n",
      exits: "import process from 'node:process';\nprocess.exit(0);\n",
      sets: MODULE("sets", ', restart: "never"'),
    });
    const { code, stdout, stderr } = await sandbox.run(["check"]);
    const at = (name: string) => `"${join(sandbox.folder, `${name}.mjs`)}"`;
    assert.deepEqual([code, stdout, stderr.split("\n")], [2, "", [
      `brokkr.json:3:18: Cannot load module "sla" from ${
        at("sla")
      }: Module "sla": commands: "a" must be a function, and it is 1`,
      `brokkr.json:4:19: Cannot load module "none": ${at("none")} exports none, export default defineModule({ … })`,
      'brokkr.json:5:21: Cannot load module "throws": no disk',
      'brokkr.json:6:20: Cannot load module "exits": it calls exit(0) when it is loaded',
      'brokkr.json:7:19: Cannot serve module "sets": its file sets "restart", which the broker does not read under load ' +
      '"own", move it to the configuration as modules.sets.restart or set "load" to "all"',
      "",
    ]]);
  }));

for (const load of ["own", "all"]) {
  test(`brokkr check with load "${load}" offers the nearest command where calls names none of the module's`, () =>
    inSandbox(async (sandbox) => {
      writeFileSync(join(sandbox.folder, "sla.mjs"), MODULE("sla", ", commands: { report: () => 1 }"));
      writeFileSync(
        join(sandbox.folder, "brokkr.json"),
        `{ "name": "b", "load": "${load}", "modules": {\n"sla": { "path": "sla.mjs",\n"calls": { "report": {},\n  "reprot": {} } } } }`,
      );
      const { code, stdout, stderr } = await sandbox.run(["check"]);
      const said = 'brokkr.json:4:13: modules.sla.calls: unknown command "reprot": did you mean "report"\n';
      assert.deepEqual([code, stdout, stderr], [2, "", said]);
    }));
}

for (const load of ["own", "all"]) {
  test(`brokkr check with load "${load}" says where options are not what optionsSchema wants`, () =>
    inSandbox(async (sandbox) => {
      const validate =
        "(value) => value.region === 'EU' ? { value } : { issues: [{ message: 'must be EU', path: ['region'] }] }";
      const schema = `{ '~standard': { version: 1, vendor: 'by hand', validate: ${validate} } }`;
      writeFileSync(join(sandbox.folder, "shop.mjs"), MODULE("shop", `, optionsSchema: ${schema}`));
      const shop = (region: string) => `{ "path": "shop.mjs", "options": { "region": "${region}" } }`;
      writeFileSync(
        join(sandbox.folder, "brokkr.json"),
        `{ "name": "b", "load": "${load}", "modules": {\n"eu": ${shop("EU")},\n"us": ${shop("US")} } }`,
      );
      const { code, stdout, stderr } = await sandbox.run(["check"]);
      assert.deepEqual([code, stdout, stderr], [2, "", "brokkr.json:3:52: modules.us.options.region: must be EU\n"]);
    }));
}

test("brokkr check says where a module file has a syntax error, or one that it imports, beside what else is wrong", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, {
      wrong: "export const x = 1;\nconst a = {\n  b: = 2,\n};\n",
      imports: 'import "./wrong.mjs";\nexport default { name: "imports" };\n',
      open: 'export default {\n  name: "open",\n',
    });
    const path = join(sandbox.folder, "brokkr.json");
    writeFileSync(path, readFileSync(path, "utf8").replace("} }", ',"none": { "command": ["no-such-command"] } } }'));
    const { code, stderr } = await sandbox.run(["check"]);
    assert.equal(code, 2);
    const [wrong = "", imports = "", open = "", none = ""] = stderr.split("\n");
    // The runtimes' words, at the same place but for the end of a file.
    assert.match(wrong, /^wrong\.mjs:3:6: Cannot load module "wrong": .*(=|xpression expected).*$/);
    assert.match(imports, /^wrong\.mjs:3:6: Cannot load module "imports": /);
    assert.match(open, /^open\.mjs:[23]:\d+: Cannot load module "open": .*(nexpected|xpected)/);
    assert.match(none, /^brokkr\.json:5:\d+: Cannot start module "none": executable "no-such-command" is in no folder/);
    const { problems } = JSON.parse((await sandbox.run(["check", "--json"])).stdout);
    const { file, line, column } = problems[0];
    assert.deepEqual({ file, line, column }, { file: "wrong.mjs", line: 3, column: 6 });
  }));

test("brokkr check says where an imported file has a syntax error, with colours or without, in TypeScript where it runs", () =>
  inSandbox(async (sandbox) => {
    const kind = process.versions["deno"] ?? process.versions["bun"] ? "ts" : "mjs";
    const files = {
      "brokkr.json": `{ "name": "b", "modules": { "sla": { "path": "sla.${kind}" } } }`,
      [`sla.${kind}`]: `import { text } from "./text.${kind}";\nexport default { name: "sla", commands: { text } };\n`,
      [`text.${kind}`]: 'const one = 1;\nexport const text = "one\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(sandbox.folder, name), text);
    for (const env of [{ NO_COLOR: "1" }, { FORCE_COLOR: "1" }]) {
      const { code, stderr } = await sandbox.run(["check"], { env });
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^text\.m?[jt]s:2:21: Cannot load module "sla": (Unterminated string|Invalid or u)[^\n]*\n$/,
      );
    }
  }));

test("brokkr check waits startTimeoutMs for a module file, and what it prints is no result", () =>
  inSandbox(async (sandbox) => {
    write(
      sandbox,
      { sla: "console.log('hello');\nawait new Promise((r) => setTimeout(r, 1e6));\n" },
      ', "startTimeoutMs": 200',
    );
    const { code, stdout, stderr } = await sandbox.run(["check", "--json"]);
    assert.deepEqual([code, stderr], [2, "hello\n"]);
    const message = 'Cannot load module "sla": it was not loaded after 0.2s (startTimeoutMs)';
    assert.deepEqual(JSON.parse(stdout), {
      ok: false,
      problems: [{ file: "brokkr.json", line: 2, column: 18, message }],
    });
  }));

test("brokkr run says once that a module file defines a module that is wrong, and does not try again", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, { sla: "export default { name: 5 };\n" });
    const broker = await sandbox.broker(["run"]);
    const { code, stderr } = await sandbox.run(["call", "sla", "size"]);
    assert.equal(code, 5);
    assert.match(
      stderr,
      /^Cannot call command "size" of module "sla": process did not start: start of the module failed: Cannot load /,
    );
    const lines = broker.stderr.split("\n").filter((line) => line.includes("[ PROCESS ]"));
    const why = `start of the module failed: Cannot load module "sla" from "${join(sandbox.folder, "sla.mjs")}": ` +
      "The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is 5";
    assert.deepEqual(lines.map((line) => line.replace(/.*\[ MainThread \] /, "").replace(/pid \d+/, "pid 1")), [
      "sla is starting (generation 1)",
      `sla ended unexpectedly (pid 1, exit code 1, signal none): ${why}`,
      `sla will not be started again: ${why}; what to do: mend the cause, then run "brokkr restart sla"`,
    ]);
    const { modules: [sla] } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
    assert.deepEqual([sla.state, sla.restarts, sla.pid], ["failed", 0, null]);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
    assert.deepEqual(sandbox.liveFiles(), []);
  }));

test("brokkr check looks for the executable of each program, on PATH or where its path leads", () =>
  inSandbox(async (sandbox) => {
    mkdirSync(join(sandbox.folder, "bin"));
    writeFileSync(join(sandbox.folder, "bin/there"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(sandbox.folder, "bin/plain"), "");
    const commands = ["sh", "./bin/there", "there", "no-such-command", "./bin/nothing", "./bin/plain"];
    const modules = commands.map((command, index) => `"m${index}": { "command": ["${command}"] }`);
    writeFileSync(join(sandbox.folder, "brokkr.json"), `{ "name": "b", "modules": {\n${modules.join(",\n")}\n} }\n`);
    const env = { PATH: `${process.env["PATH"]}:bin` };
    const { code, stdout, stderr } = await sandbox.run(["check"], { env });
    assert.deepEqual([code, stdout, stderr.split("\n")], [2, "", [
      'brokkr.json:5:20: Cannot start module "m3": executable "no-such-command" is in no folder of PATH, install it or ' +
      "correct its path",
      `brokkr.json:6:20: Cannot start module "m4": executable "${
        join(sandbox.folder, "bin/nothing")
      }" does not exist, install it or correct its path`,
      `brokkr.json:7:20: Cannot start module "m5": executable "${
        join(sandbox.folder, "bin/plain")
      }" may not be run, check its mode`,
      "",
    ]]);
  }));

test("brokkr run says once that the executable of a program is missing, and does not try again", () =>
  inSandbox(async (sandbox) => {
    const modules = { gone: { command: ["no-such-command"] } };
    writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "b", modules }));
    const broker = await sandbox.broker(["run"]);
    const lines = broker.stderr.split("\n").filter((line) => line.includes("no-such-command"));
    assert.deepEqual(lines.map((line) => /ended unexpectedly|will not be started again/.exec(line)?.[0]), [
      "ended unexpectedly",
      "will not be started again",
    ]);
    assert.doesNotMatch(broker.stderr, /generation 2/);
  }));
