import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CLI, run, start } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";
import { blocksOf } from "./pages.ts";
import { brokkrFolder } from "./project.ts";
import { NO_TMUX, Screen } from "../cli/screen.ts";

const PAGE = "docs/operating.md";
const NO_BASH = spawnSync("bash", ["--version"]).status !== 0 && "there is no bash on PATH";
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

for (const [part, count] of [["What does this line mean?", 1], ["Try it", 6]] as const) {
  test(`${PAGE}, ${part}: the commands do what the text says`, async () => {
    const steps = await stepsOf(PAGE, part);
    assert.equal(steps.filter(({ kind }) => kind === "command").length, count);
    await using project = await brokkrFolder();
    await follow(steps, { ...project, replace: {} });
  });
}

test(`${PAGE}, Restart, stop, change the configuration: every command is done`, async () => {
  const block = (await blocksOf(PAGE)).find(({ part }) => part === "Restart, stop, change the configuration");
  const commands = block?.text.trimEnd().split("\n").map((line) => line.replace(/ {2,}.*/, "")) ?? [];
  assert.equal(commands.length, 7);
  await using project = await brokkrFolder();
  for (const name of ["sla", "Livestatus"]) {
    const module = `{ name: "${name}", commands: {}, workers: { count: 0, commands: {} } }`;
    await writeFile(join(project.folder, `${name}.mjs`), `export default ${module};\n`);
  }
  const modules = { sla: { path: "./sla.mjs" }, Livestatus: { path: "./Livestatus.mjs", workers: 2 } };
  await writeFile(join(project.folder, "brokkr.json"), JSON.stringify({ name: "broker-master", modules }));
  const options = { cwd: project.folder, env: project.env };
  await using broker = start(["/bin/sh", "-ec", "exec brokkr run"], options);
  const [, pid = ""] = await broker.printed(/PID:(\d+) .* The broker is ready/);
  for (const command of commands) {
    const { code, stdout, stderr } = await run(["/bin/sh", "-ec", command.replace("PID", pid)], options);
    assert.equal(code, 0, `${command}\n${stdout}${stderr}`);
    if (command.startsWith("kill")) await broker.printed(/The configuration is in force/);
  }
  assert.equal((await broker.ended).code, 0);
});

test(`${PAGE}, Tab completion: bash completes what is typed`, { skip: NO_BASH || NO_TMUX }, async () => {
  await using project = await brokkrFolder();
  const env = { ...project.env, HOME: project.folder, PS1: "$ " };
  await follow(await stepsOf(PAGE, "Tab completion"), { folder: project.folder, env, replace: {} });
  using screen = new Screen("bash -i", { env, width: 100, height: 30 });
  screen.keys("brokkr st", "Tab", "Tab");
  await screen.shows(/^status +stop *$/m);
  screen.keys("C-u", "brokkr logs --le", "Tab");
  await screen.shows(/brokkr logs --level/);
  screen.keys("err", "Tab");
  await screen.shows(/brokkr logs --level error/);
  screen.keys("C-u", "brokkr explain call.ret", "Tab");
  await screen.shows(/brokkr explain call\.retry/);
});

test(`${PAGE}, The disk is full: the line is that of a broker whose log is on one`, {
  skip: existsSync("/dev/full") ? false : "this system has no /dev/full",
}, async () => {
  const shown = (await blocksOf(PAGE)).find(({ part }) => part === "The disk is full")?.text.trim() ?? "";
  assert.match(shown, /^brokkr: cannot write log file "[^"]+": ENOSPC: [^;]+; lines are lost /);
  await using project = await brokkrFolder();
  const config = { name: "shop", modules: { stock: { path: "./stock.mjs" } }, log: { file: "/dev/full" } };
  await writeFile(join(project.folder, "stock.mjs"), 'export default { name: "stock", commands: {} };\n');
  await writeFile(join(project.folder, "brokkr.json"), JSON.stringify(config));
  await using broker = start([...CLI, "run"], { cwd: project.folder, env: project.env });
  const [line] = await broker.printed(/^brokkr: cannot write .*$/m);
  const like = (text: string) => text.replace(/"[^"]+"/, "FILE").replace(/ENOSPC: [^;]+/, "ENOSPC");
  assert.equal(like(line), like(shown));
});

test(`${PAGE}, Under systemd: systemd finds nothing wrong with the unit`, {
  skip: hasSystemd ? false : "there is no systemd-analyze on PATH",
}, async () => {
  const steps = await stepsOf(PAGE, "Under systemd");
  assert.equal(steps.length, 2);
  await using project = await brokkrFolder();
  // It asks for a program that is there.
  await follow(steps, { ...project, replace: { "/usr/local/bin/brokkr": "/bin/true" } });
});

test(`${PAGE}, Under systemd: a broker takes the folder that the unit makes for its socket`, async () => {
  const unit = (await blocksOf(PAGE)).find(({ part }) => part === "Under systemd")?.text ?? "";
  const [, name] = /^RuntimeDirectory=(\S+)$/m.exec(unit) ?? [];
  const [, mode = "0755"] = /^RuntimeDirectoryMode=(\d+)$/m.exec(unit) ?? [];
  const [, sockets] = /^Environment=XDG_RUNTIME_DIR=\/run\/(\S+)$/m.exec(unit) ?? [];
  assert.ok(name !== undefined && sockets === name, unit);
  await using project = await brokkrFolder();
  const folder = join(project.folder, name);
  await mkdir(folder, { mode: Number.parseInt(mode, 8) });
  const options = { cwd: project.folder, env: { ...project.env, XDG_RUNTIME_DIR: folder } };
  assert.equal((await run([...CLI, "init", "--js"], options)).code, 0);
  await using broker = start([...CLI, "run"], options);
  await broker.printed(/The broker is ready/);
  assert.equal((await run([...CLI, "status"], options)).code, 0);
  broker.signal("SIGTERM");
  assert.equal((await broker.ended).code, 0);
});
