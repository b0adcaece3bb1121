import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
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

test("LogFile that is truncated by another program has the size that it has, and is not renamed while it is empty", () =>
  inFolder((folder) => {
    const { file, path } = logFile(folder, { maxBytes: 16, keep: 2 });
    file.write("line 1\nline 2\n", true);
    truncateSync(path);
    file.write("line 3\nline 4\n", true);
    assert.deepEqual([readdirSync(folder), readFileSync(path, "utf8")], [["b.log"], "line 3\nline 4\n"]);
    // What another program wrote counts too.
    truncateSync(path);
    appendFileSync(path, "by another\n");
    file.write("line 5\n", true);
    file.close();
    assert.equal(readFileSync(`${path}.1`, "utf8"), "by another\n");
    assert.equal(readFileSync(path, "utf8"), "line 5\n");
  }));

test("LogFile that is a link stays one: the file that it leads to is renamed, where it is", () =>
  inFolder((folder) => {
    mkdirSync(join(folder, "disk"));
    symlinkSync(join(folder, "disk", "real.log"), join(folder, "b.log"));
    const { file, path } = logFile(folder, { maxBytes: 12, keep: 2 });
    for (let line = 1; line <= 3; line++) file.write(`line ${line}\n`, true);
    file.close();
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readFileSync(path, "utf8"), "line 3\n");
    assert.deepEqual([readdirSync(folder).sort(), readdirSync(join(folder, "disk")).sort()], [
      ["b.log", "disk"],
      ["real.log", "real.log.1", "real.log.2"],
    ]);
  }));

test("LogFile that is a pipe waits for no reader: what a stalled one misses is counted, and told when it reads on", () =>
  inFolder(async (folder) => {
    const pipe = join(folder, "b.log");
    execFileSync("mkfifo", [pipe]);
    assert.throws(() => logFile(folder), /ENXIO|os error 6/);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const { file, clock, said } = logFile(folder, { maxBytes: 1 });
    const line = (number: number) => `${number} ${"x".repeat(1_000)}\n`;
    let [count, text] = [0, ""];
    // More than the pipe holds, and less than may wait for it.
    while (count < 200) file.write(line(++count), true);
    while (text.split("\n").length <= count) {
      text += drained(reader);
      await clock.advance(5);
    }
    assert.deepEqual([text, said], [Array.from({ length: count }, (_, index) => line(index + 1)).join(""), []]);

    text = "";
    while (count < 400) file.write(line(++count), true);
    await clock.advance(2_000);
    assert.deepEqual(said, ["write Error: its reader took nothing for 1s"]);
    const { lost } = file;
    for (let more = 0; more < 10; more++) file.write(line(++count), true);
    assert.equal(file.lost, lost + 10);
    text += drained(reader);
    file.write("back\n", true);
    text += drained(reader);
    file.close();
    closeSync(reader);
    assert.equal(said.at(-1), `lost ${lost + 10} Error: its reader took nothing for 1s`);
    const there = text.split("\n").filter((one) => one.length > 1_000);
    const whole = there.filter((one) => `${one}\n` === line(Number.parseInt(one)));
    assert.equal(whole.length, 200 - lost);
    assert.match(text, /\nback\n$/);
    assert.equal(clock.timers, 0);
  }));

test("brokkr run with a log file that is a pipe nobody reads ends at once with exit code 2 and says what to do", () =>
  inSandbox(async (sandbox) => {
    const pipe = join(sandbox.folder, "broker.log");
    execFileSync("mkfifo", [pipe]);
    const { code, stderr } = await sandbox.run(["run", configWith(sandbox, pipe)]);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot write log file ".*broker\.log": ENXIO: .*, start what reads the pipe first\n$/);
  }));

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

/** What is in a pipe. */
function drained(fd: number): string {
  const chunk = new Uint8Array(65_536);
  let text = "";
  try {
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk)) {
      text += new TextDecoder().decode(chunk.subarray(0, length));
    }
  } catch {
    // It is empty.
  }
  return text;
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
