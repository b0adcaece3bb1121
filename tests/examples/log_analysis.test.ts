import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { ROOT, start } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";
import { brokkrFolder, type Project } from "./project.ts";

const PAGE = "docs/log-analysis.md";
const NIGHT = join(ROOT, "tests/fixtures/log/night");
const hasJq = spawnSync("jq", ["--version"]).status === 0;

const PARTS: readonly (readonly [title: string, commands: number])[] = [
  ["Log analysis", 1],
  ["What happened last night", 4],
  ["Which command is slow", 1],
  ["Which module crashes", 1],
  ["The log of an older installation", 1],
];

for (const [title, count] of PARTS) {
  test(`${PAGE}, ${title}: each command prints what the text says`, async () => {
    const steps = await stepsOf(PAGE, title);
    assert.equal(steps.filter(({ kind }) => kind === "command").length, count);
    await using project = await night();
    await follow(steps, { ...project, replace: {} });
  });
}

test(`${PAGE}, For programs: the command prints a line for each command of a module`, {
  skip: hasJq ? false : "there is no jq on PATH",
}, async () => {
  await using project = await night();
  await follow(await stepsOf(PAGE, "For programs"), { ...project, replace: {} });
});

test(`${PAGE}, Watching a log: the command prints the last lines, then those that are written, until Ctrl-C`, async () => {
  const [step] = await stepsOf(PAGE, "Watching a log");
  assert.ok(step?.kind === "command");
  await using project = await night();
  const log = join(project.folder, "broker.log");
  const written = await readFile(log, "utf8");
  const warnings = written.trimEnd().split("\n").filter((line) => / (?:WARNING|ERROR) : /.test(line));
  await using watching = start(["/bin/sh", "-ec", `exec ${step.text}`], { cwd: project.folder, env: project.env });
  await watching.printed(new RegExp(`^\\${warnings.at(-1)?.slice(0, 21)}`, "m"));
  const next =
    "[2021-10-11 06:30:00] WARNING : [ broker-master ] [ sla ] [ COMMAND CALL ] [ PID:2565 ] [ MainThread ] " +
    "Received unknown command [get_reprot] to execute !";
  await writeFile(log, `${written}${next}\n`);
  await watching.printed(/\[get_reprot\]/);
  watching.signal("SIGINT");
  assert.equal((await watching.ended).code, 130);
});

test("docs/log-lines.md, Log lines: an event and the lines of a file are explained", async () => {
  const steps = await stepsOf("docs/log-lines.md", "Log lines");
  assert.equal(steps.length, 1);
  await using project = await night();
  await follow(steps, { ...project, replace: {} });
});

/** A folder with the logs of the night that the guide tells of. */
async function night(): Promise<Project> {
  const project = await brokkrFolder();
  for (const name of ["broker.log", "broker.log.1"]) await copyFile(join(NIGHT, name), join(project.folder, name));
  await writeFile(join(project.folder, "broker.log.2.gz"), gzipSync(await readFile(join(NIGHT, "broker.log.1"))));
  return project;
}
