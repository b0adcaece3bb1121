import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inSandbox } from "./cli_process.ts";

test("brokkr service prints a unit with full paths, and as long to stop as its modules may take", () =>
  inSandbox(async (sandbox) => {
    const folder = join(sandbox.folder, "my 5% shop");
    mkdirSync(folder);
    const modules = {
      one: { command: ["cat"], drainMs: 20_000 },
      two: { command: ["cat"], drainMs: 500, killMs: 500 },
    };
    writeFileSync(join(folder, "brokkr.json"), JSON.stringify({ name: "shop", modules }));
    const { code, stdout, stderr } = await sandbox.run(["service"], { cwd: folder });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(stdout.startsWith("# /etc/systemd/system/shop.service; then: systemctl daemon-reload && "), stdout);
    const line = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(stdout)?.[1] ?? "none";
    const config = join(folder, "brokkr.json").replaceAll("%", "%%");
    const start = line("ExecStart");
    // A path with a space is quoted.
    const own = process.execPath.includes(" ") ? `"${process.execPath}"` : process.execPath;
    assert.ok(start.startsWith(own) && start.endsWith(` run "${config}"`), start);
    assert.equal(line("WorkingDirectory"), folder.replaceAll("%", "%%"));
    // 20 s and the default of 2 s for killing, 1 s, and 5 s for the broker.
    assert.equal(line("TimeoutStopSec"), "28");
    assert.equal(line("RuntimeDirectory"), "brokkr");
    const user = await sandbox.run(["service", "--user", join(folder, "brokkr.json")]);
    assert.match(user.stdout, /^# ~\/\.config\/systemd\/user\/shop\.service; then: systemctl --user daemon-reload/);
    assert.match(user.stdout, /\nWantedBy=default\.target\n$/);
    assert.doesNotMatch(user.stdout, /^(RuntimeDirectory|User)=/m);
  }));

test("brokkr service prints a unit in which systemd finds nothing wrong, whatever the folder's name has in it", {
  skip: spawnSync("systemd-analyze", ["--version"]).status === 0 ? false : "there is no systemd-analyze on PATH",
}, () =>
  inSandbox(async (sandbox) => {
    const folder = join(sandbox.folder, 'my 5% "$shop"');
    mkdirSync(folder);
    writeFileSync(join(folder, "brokkr.json"), '{ "name": "shop", "modules": { "one": { "command": ["cat"] } } }');
    for (const flags of [[], ["--user"]]) {
      writeFileSync(join(folder, "shop.service"), (await sandbox.run(["service", ...flags], { cwd: folder })).stdout);
      const verified = spawnSync("systemd-analyze", ["verify", "./shop.service"], { cwd: folder, encoding: "utf8" });
      assert.deepEqual([verified.status, verified.stderr], [0, ""]);
    }
  }));

test("brokkr service ends with exit code 2 where there is no valid configuration", () =>
  inSandbox(async (sandbox) => {
    const none = await sandbox.run(["service"]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /^Cannot write a unit: there is no brokkr\.json in /);
    writeFileSync(join(sandbox.folder, "brokkr.json"), '{ "nam": "b" }');
    const wrong = await sandbox.run(["service"]);
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /^brokkr\.json:1:3: unknown key "nam": did you mean "name"$/m);
  }));
