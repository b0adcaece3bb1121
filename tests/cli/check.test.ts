import assert from "node:assert/strict";
import { readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brokerConfig, inSandbox } from "./cli_process.ts";

test("brokkr check says what it found, and starts nothing", () =>
  inSandbox(async (sandbox) => {
    const folder = brokerConfig.slice(0, brokerConfig.lastIndexOf("/"));
    const said = await sandbox.run(["check"], { cwd: folder });
    assert.deepEqual(said, {
      code: 0,
      signal: null,
      stdout: 'brokkr.json: broker "cli-test" with 2 modules: sla (sla.js), Livestatus (livestatus.js)\n',
      stderr: "",
    });
    const { code, stdout } = await sandbox.run(["check", "--json", "brokkr.json"], { cwd: folder });
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      ok: true,
      file: "brokkr.json",
      name: "cli-test",
      modules: [
        { name: "sla", path: "sla.js", workers: null },
        { name: "Livestatus", path: "livestatus.js", workers: 2 },
      ],
    });
    assert.deepEqual(readdirSync(sandbox.runtimeFolder), []);
  }));

test("brokkr check tells all faults at once, as brokkr run does", () =>
  inSandbox(async (sandbox) => {
    const text = '{\n  "nmae": "b",\n  "name": "b",\n  "modules": { "sla": { "path": "none.js" } }\n}\n';
    writeFileSync(join(sandbox.folder, "brokkr.json"), text);
    const checked = await sandbox.run(["check"]);
    assert.deepEqual(checked, await sandbox.run(["run"]));
    const [first, second, ...rest] = checked.stderr.split("\n");
    assert.deepEqual([checked.code, checked.stdout, rest], [2, "", [""]]);
    assert.equal(first, 'brokkr.json:2:3: unknown key "nmae": did you mean "name"');
    assert.match(second ?? "", /^brokkr\.json:4:33: modules\.sla\.path "none\.js" does not exist /);
    const { code, stdout, stderr } = await sandbox.run(["check", "--json"]);
    assert.deepEqual([code, stderr], [2, ""]);
    const { ok, problems } = JSON.parse(stdout);
    assert.equal(ok, false);
    assert.deepEqual(problems[0], {
      file: "brokkr.json",
      line: 2,
      column: 3,
      message: 'unknown key "nmae": did you mean "name"',
    });
    assert.equal(problems.length, 2);
  }));

test("brokkr check tells of what is not in the text of the file too", () =>
  inSandbox(async (sandbox) => {
    const missing = await sandbox.run(["check", "none.json", "--json"]);
    assert.equal(missing.code, 2);
    assert.deepEqual(JSON.parse(missing.stdout), {
      ok: false,
      problems: [{ file: "none.json", line: null, column: null, message: "it does not exist, correct its path" }],
    });
    writeFileSync(join(sandbox.folder, "sla.mjs"), "export const nothing = 1;\n");
    writeFileSync(join(sandbox.folder, "slb.mjs"), "throw new Error('no disk');\n");
    const config =
      '{ "name": "b", "load": "all", "modules": { "sla": { "path": "sla.mjs" },\n "slb": { "path": "slb.mjs" } } }';
    writeFileSync(join(sandbox.folder, "brokkr.json"), config);
    const unusable = await sandbox.run(["check"]);
    assert.equal(unusable.code, 2);
    assert.match(unusable.stderr, /^brokkr\.json:1:61: Cannot load module "sla": ".*sla\.mjs" exports none, /);
    assert.match(unusable.stderr, /\nbrokkr\.json:2:19: Cannot load module "slb": no disk\n$/);
    const nowhere = await sandbox.run(["check"], { cwd: "/" });
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /^Cannot check: there is no brokkr\.json in "\/" or above it, name a file, /);
  }));

test("brokkr check loads each module's file in its folder and with its variables, and says which folder is none", () =>
  inSandbox(async (sandbox) => {
    const file = `
import process from "node:process";
const seen = ["SLA_URL", "SLA_TOKEN", "WEB_TOKEN"].map((name) => process.env[name] ?? "-").join();
if (seen !== process.env.WANTED) throw new Error("it sees " + seen);
export default { name: "any", commands: {} };
`;
    for (const name of ["sla", "web"]) writeFileSync(join(sandbox.folder, `${name}.mjs`), file);
    const modules = {
      sla: { path: "sla.mjs", env: { SLA_URL: "given", SLA_TOKEN: true, WANTED: "given,of sla,-" } },
      web: { path: "web.mjs", env: { WEB_TOKEN: true, WANTED: "-,-,of web" } },
      far: { path: "web.mjs", cwd: "nowhere" },
    };
    writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "b", modules }, null, 1));
    const { code, stdout, stderr } = await sandbox.run(["check"], {
      env: { SLA_TOKEN: "of sla", WEB_TOKEN: "of web" },
    });
    assert.deepEqual([code, stdout], [2, ""]);
    const folder = realpathSync(sandbox.folder);
    const why = `modules.far.cwd is no folder ("${join(folder, "nowhere")}"), correct it or make it`;
    assert.equal(stderr, `brokkr.json:21:11: ${why}\n`);
  }));

test("brokkr check looks for a program in its own PATH, and says where its folder is none", () =>
  inSandbox(async (sandbox) => {
    const { folder } = sandbox;
    writeFileSync(join(folder, "sla-tool"), "#!/bin/sh\n", { mode: 0o755 });
    const modules = {
      // As a PATH may name a file, or a folder of another user.
      found: { command: ["sla-tool"], env: { PATH: `${join(folder, "sla-tool")}:${folder}` } },
      lost: { command: ["sla-tool"], env: { PATH: "/nowhere" } },
      far: { command: ["ls"], cwd: "nowhere" },
      old: { command: ["./old"] },
    };
    writeFileSync(join(folder, "old"), "#!/opt/old/bin/python -u\n", { mode: 0o755 });
    writeFileSync(join(folder, "brokkr.json"), JSON.stringify({ name: "b", modules }, null, 1));
    const { code, stderr } = await sandbox.run(["check"]);
    assert.equal(code, 2);
    const why = `its cwd is no folder ("${join(realpathSync(folder), "nowhere")}"), correct it or make it`;
    assert.deepEqual(stderr.split("\n"), [
      'brokkr.json:13:15: Cannot start module "lost": executable "sla-tool" is in no folder of PATH, install it or correct its path',
      `brokkr.json:21:15: Cannot start module "far": ${why}`,
      `brokkr.json:27:15: Cannot start module "old": executable "${
        join(realpathSync(folder), "old")
      }" is a script, and ` +
      'the interpreter "/opt/old/bin/python" of its first line does not exist, install it or correct that line',
      "",
    ]);
  }));
