import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LogFile } from "../../src/cli/log_file.ts";
import { ManualClock } from "../core/manual_clock.ts";
import { onDisk, whyNoDisk } from "./disk.ts";
import { fixture, inSandbox, type Sandbox } from "./cli_process.ts";

const noDisk = whyNoDisk();
const noFull = existsSync("/dev/full") ? false : "this system has no /dev/full";

test("LogFile gathers lines for 100 ms, writes urgent ones at once with those before them, and the rest at its end", () =>
  inFolder(async (folder) => {
    const { file, clock, path } = logFile(folder);
    file.write("one\n", false);
    file.write("two\n", false);
    assert.equal(readFileSync(path, "utf8"), "");
    await clock.advance(100);
    assert.equal(readFileSync(path, "utf8"), "one\ntwo\n");
    file.write("three\n", false);
    file.write("four\n", true);
    assert.equal(readFileSync(path, "utf8"), "one\ntwo\nthree\nfour\n");
    file.write("five\n", false);
    file.close();
    assert.equal(readFileSync(path, "utf8"), "one\ntwo\nthree\nfour\nfive\n");
    assert.equal(clock.timers, 0);
  }));

test("LogFile is renamed before it has more than maxBytes, and keeps as many as it is told", () =>
  inFolder((folder) => {
    const { file } = logFile(folder, { maxBytes: 12, keep: 2 });
    for (let line = 1; line <= 9; line++) file.write(`line ${line}\n`, true);
    file.close();
    const contents = readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]);
    assert.deepEqual(contents, [["b.log", "line 9\n"], ["b.log.1", "line 8\n"], ["b.log.2", "line 7\n"]]);
  }));

test("LogFile goes on in a new file where the old one was renamed, or removed with its folder", () =>
  inFolder((folder) => {
    const { file, path, said } = logFile(join(folder, "logs"));
    file.write("before\n", true);
    renameSync(path, `${path}.moved`);
    file.write("after\n", true);
    assert.deepEqual([`${path}.moved`, path].map((one) => readFileSync(one, "utf8")), ["before\n", "after\n"]);
    rmSync(join(folder, "logs"), { recursive: true });
    file.write("again\n", true);
    assert.equal(readFileSync(path, "utf8"), "again\n");
    file.close();
    assert.deepEqual([said, file.lost], [[], 0]);
  }));

test("LogFile that can't be renamed grows, and tells so once", () =>
  inFolder((folder) => {
    const { file, path, said } = logFile(folder, { maxBytes: 10, keep: 1 });
    mkdirSync(`${path}.1`);
    writeFileSync(join(`${path}.1`, "in the way"), "");
    for (let line = 1; line <= 4; line++) file.write(`line ${line}\n`, true);
    assert.equal(readFileSync(path, "utf8"), "line 1\nline 2\nline 3\nline 4\n");
    assert.match(said.join("; "), /^rotate [A-Z]+$/);
    rmSync(`${path}.1`, { recursive: true });
    file.write("line 5\n", true);
    file.close();
    assert.equal(readFileSync(path, "utf8"), "line 5\n");
    assert.equal(file.lost, 0);
  }));

test("LogFile that can't be written tells so once, counts, and tells the count when it works again", () =>
  inFolder(async (folder) => {
    const { file, clock, path, said } = logFile(join(folder, "logs"));
    file.write("before\n", true);
    rmSync(join(folder, "logs"), { recursive: true });
    writeFileSync(join(folder, "logs"), "a file in its place");
    file.write("lost 1\n", true);
    file.write("lost 2\nlost 3\n", false);
    await clock.advance(100);
    assert.equal(file.lost, 3);
    rmSync(join(folder, "logs"));
    file.write("after\n", true);
    assert.equal(readFileSync(path, "utf8"), "after\n");
    assert.match(said.join("; "), /^write (ENOTDIR|EEXIST); lost 3 (ENOTDIR|EEXIST)$/);
    assert.equal(file.lost, 0);
    file.close();
  }));

test(
  "LogFile on a full disk has each line wholly or counts it, and goes on when there is room",
  { skip: noDisk },
  () =>
    inFolder((folder) =>
      onDisk(join(folder, "disk"), (disk) => {
        writeFileSync(join(disk, "filler"), "x".repeat(40_000));
        const { file, path, said } = logFile(disk);
        const line = (number: number) => `line ${number} ${"é".repeat(number % 70)}\n`;
        let count = 0;
        while (file.lost < 50) file.write(line(++count), true);
        assert.deepEqual(said, ["write ENOSPC"]);
        const { lost } = file;
        rmSync(join(disk, "filler"));
        for (let more = 0; more < 20; more++) file.write(line(++count), true);
        file.close();
        assert.deepEqual(said, ["write ENOSPC", `lost ${lost} ENOSPC`]);
        const there = new Set(readFileSync(path, "utf8").split("\n"));
        const whole = Array.from({ length: count }, (_, index) => line(index + 1).slice(0, -1)).filter((one) =>
          there.has(one)
        );
        assert.equal(whole.length, count - lost);
      })
    ),
);

test("brokkr run with a log file on a full disk says so in one line, serves on, and counts at its end", {
  skip: noFull,
}, () =>
  inSandbox(async (sandbox) => {
    const broker = sandbox.start(["run", configWith(sandbox, "/dev/full")]);
    await reachable(sandbox);
    assert.equal((await sandbox.run(["call", "sla", "crash", "no such month"])).code, 1);
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
    const { modules: [sla] } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
    assert.deepEqual([sla.state, sla.calls.error], ["ready", 1]);
    assert.equal((await sandbox.run(["stop"])).code, 0);
    const { code, stderr } = await broker.ended;
    const [first, second, ...rest] = stderr.split("\n");
    assert.deepEqual([code, rest], [0, [""]]);
    assert.match(
      first ?? "",
      /^brokkr: cannot write log file "\/dev\/full": ENOSPC: .*; lines are lost until it can be written, make room on its file system$/,
    );
    assert.match(second ?? "", /^brokkr: log file "\/dev\/full" could not be written to the end, \d+ lines are lost$/);
    assert.deepEqual(sandbox.liveFiles(), []);
  }));

test("brokkr run whose log folder is blocked and free again has the count of lost lines in its log", () =>
  inSandbox(async (sandbox) => {
    const folder = join(sandbox.folder, "logs");
    const path = join(folder, "broker.log");
    const broker = sandbox.start(["run", configWith(sandbox, path)]);
    await reachable(sandbox);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "a file in its place");
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    await broker.printed("stderr", "cannot write log file");
    rmSync(folder);
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    await broker.printed("stderr", "is written again");
    assert.equal((await sandbox.run(["stop"])).code, 0);
    const { code, stderr } = await broker.ended;
    assert.equal(code, 0);
    const [, lost] = /^brokkr: log file ".*" is written again, (\d+) lines are lost$/m.exec(stderr) ?? [];
    assert.equal(stderr.split("\n").length, 3);
    const text = readFileSync(path, "utf8");
    const line =
      `[ BROKER ] [ PID:${broker.child.pid} ] [ MainThread ] ${lost} log lines are lost, ${path} could not be written: E`;
    assert.ok(text.includes(` WARNING : [ blocked ] [ blocked ] ${line}`), text);
    assert.match(text, /ERROR : .*\[crash\]/);
    const read = await sandbox.run(["logs", path, "--event", "log.lost", "--json"]);
    assert.equal(read.code, 0);
  }));

function logFile(folder: string, { maxBytes = 1e9, keep = 5 } = {}) {
  const clock = new ManualClock();
  const said: string[] = [];
  const path = join(folder, "b.log");
  const code = (error: unknown) => error instanceof Error && "code" in error ? error.code : error;
  const file = new LogFile(path, {
    clock,
    maxBytes,
    keep,
    failed: (doing, error) => said.push(`${doing} ${code(error)}`),
    lost: (lines, error) => said.push(`lost ${lines} ${code(error)}`),
  });
  return { file, clock, path, said };
}

async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-log-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function configWith(sandbox: Sandbox, file: string): string {
  const path = join(sandbox.folder, "brokkr.json");
  writeFileSync(join(sandbox.folder, "sla.js"), readFileSync(fixture("broker/sla.js")));
  writeFileSync(path, JSON.stringify({ name: "blocked", modules: { sla: { path: "sla.js" } }, log: { file } }));
  return path;
}

async function reachable(sandbox: Sandbox): Promise<void> {
  while ((await sandbox.run(["call", "sla", "greet", "you"])).code !== 0);
}
