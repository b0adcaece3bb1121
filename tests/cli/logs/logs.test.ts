import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { CliError } from "../../../src/cli/exit_codes.ts";
import { openLogs } from "../../../src/cli/logs/open_logs.ts";
import { inSandbox, type Sandbox } from "../cli_process.ts";

const NEW_PATH = fileURLToPath(new URL("../../fixtures/log/seed-lines-new.log", import.meta.url));
const OLD_PATH = fileURLToPath(new URL("../../fixtures/log/seed-lines-old.log", import.meta.url));
const NEW = readFileSync(NEW_PATH, "utf8");

function write(sandbox: Sandbox, name: string, content: string | Uint8Array): string {
  const path = join(sandbox.folder, name);
  writeFileSync(path, content);
  return path;
}

test("brokkr logs prints a summary of files in both wordings", () =>
  inSandbox(async (sandbox) => {
    const { code, stdout, stderr } = await sandbox.run(["logs", NEW_PATH, OLD_PATH]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^2 files: 6\.5 kB, 40 lines, 19 events\n2020-11-17 09:12:11 to 2021-10-11 06:10:52 /);
    assert.match(stdout, /^ {2}get_module_info +6 +2 +4 +2 +143ms +143ms +143ms +143ms$/m);
    assert.match(stdout, /^2× {2}Exception\n {4}in Livestatus get_module_info\n/m);
  }));

test("brokkr logs reads rotated and gzip files in the order of their times, however they are named and given", () =>
  inSandbox(async (sandbox) => {
    const line = (day: number, text: string) =>
      `[2021-10-${day} 06:10:52] INFO : [ b ] [ b ] [ BROKER ] [ PID:1 ] [ T ] ${text}\n`;
    const stopped = (seconds: string) => `The broker stopped in ${seconds}s`;
    // The stack of the crash goes on in the next file.
    const crash = NEW.split("\n").slice(18, 25).map((text) => text.replace("2020-11-17", "2021-10-12"));
    write(sandbox, "x.log", line(13, stopped("3.000")));
    write(sandbox, "x.log.1", [...crash.slice(2), ""].join("\n"));
    write(sandbox, "x.log.2.gz", gzipSync(line(11, stopped("1.000")) + [...crash.slice(0, 2), ""].join("\n")));
    const files = ["x.log", "x.log.1", "x.log.2.gz"];
    for (const names of [files, files.toReversed()]) {
      const { code, stdout } = await sandbox.run(["logs", "--lines", "--json", ...names]);
      const records = stdout.trim().split("\n").map((text) => JSON.parse(text));
      assert.equal(code, 0);
      assert.deepEqual(records.map(({ event, fields }) => [event, fields.ms ?? fields.stack.length]), [
        ["broker.stopped", 1_000],
        ["command.error", 6],
        ["broker.stopped", 3_000],
      ]);
    }
  }));

test("brokkr logs --lines puts the lines of several logs in the order of time", () =>
  inSandbox(async (sandbox) => {
    const line = (second: number, text: string) =>
      `[2021-10-11 06:10:${second}] INFO : [ b ] [ sla ] [ LOG ] [ PID:1 ] [ T ] ${text}\n`;
    const of = (text: string, ...seconds: number[]) => seconds.map((second) => line(second, text)).join("");
    write(sandbox, "a.log.1", of("a1", 10, 14, 20));
    write(sandbox, "a.log", of("a", 31, 33));
    write(sandbox, "b.log", of("b", 13, 14, 32) + "no event of b\n" + of("b", 40));
    const { stdout } = await sandbox.run(["logs", "--lines", "--unread", "b.log", "a.log", "a.log.1"]);
    const expected = of("a1", 10) + of("b", 13, 14) + of("a1", 14, 20) + of("a", 31) +
      of("b", 32) + "no event of b\n" + of("a", 33) + of("b", 40);
    assert.equal(stdout, expected);
    const summary = await sandbox.run(["logs", "--json", "b.log", "a.log", "a.log.1"]);
    assert.deepEqual(JSON.parse(summary.stdout).files.map(({ name }: { name: string }) => name), [
      ...["a.log.1", "a.log", "b.log"],
    ]);
  }));

test("brokkr logs --json prints one document with what was read of each file", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, "a.log", `no line\n${NEW}`);
    const { code, stdout } = await sandbox.run(["logs", "a.log", "--json", "--level", "warning"]);
    const summary = JSON.parse(stdout);
    assert.equal(code, 0);
    assert.deepEqual(summary.files, [{ name: "a.log", bytes: Buffer.byteLength(NEW) + 8, lines: 27, broken: null }]);
    assert.deepEqual([summary.events, summary.filtered, summary.unread], [7, 4, 1]);
    assert.deepEqual(summary.unreadSamples, [{ file: "a.log", line: 1, text: "no line" }]);
    assert.deepEqual(Object.keys(summary), [
      ...["files", "first", "last", "lengthMs", "ambiguous", "lines", "events", "filtered", "unread", "unreadSamples"],
      ...["levels", "byEvent"],
      ...["modules", "commands", "failures", "crashes", "cleanupErrors", "others", "timeLine"],
    ]);
  }));

test("brokkr logs reads a night in which the clock was set back in the order of its lines, and says so", () =>
  inSandbox(async (sandbox) => {
    const line = (time: string) => `[2021-10-31 ${time}] WARNING : [ D ] [ M ] [ LOG ] [ pid:1 ] [ T ] text\n`;
    write(sandbox, "a.log.1", line("02:59:56"));
    write(sandbox, "a.log", line("02:00:04") + line("02:10:00"));
    const env = { TZ: "Europe/Paris" };
    const summary = await sandbox.run(["logs", "a.log", "a.log.1", "--until", "2021-10-31T02:59:59"], { env });
    assert.match(
      summary.stdout,
      /\n2021-10-31 02:59:56 to 2021-10-31 02:10:00 \(10m 04s\)\n3 events are of a time that the /,
    );
    const { stdout } = await sandbox.run(["logs", "a.log.1", "a.log", "--lines", "--since", "2021-10-31T02:30"], {
      env,
    });
    assert.equal(stdout, line("02:59:56") + line("02:00:04") + line("02:10:00"));
    const json = await sandbox.run(["logs", "a.log.1", "a.log", "--json"], { env });
    const { first, last, lengthMs, ambiguous } = JSON.parse(json.stdout);
    assert.deepEqual({ first, last, lengthMs, ambiguous }, {
      first: "2021-10-31 02:59:56",
      last: "2021-10-31 02:10:00",
      lengthMs: 604_000,
      ambiguous: 3,
    });
  }));

test("brokkr logs --lines prints the lines that fit, as they are, and --unread those that are no event's", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, "a.log", `no line\n${NEW}`);
    const all = await sandbox.run(["logs", "a.log", "--lines", "--unread"]);
    assert.equal(all.stdout, `no line\n${NEW}`);
    assert.equal((await sandbox.run(["logs", "a.log", "--unread"])).stdout, "a.log:1: no line\n");
    assert.equal(
      (await sandbox.run(["logs", "a.log", "--unread", "--json"])).stdout,
      '{"unread":"no line","file":"a.log","line":1}\n',
    );
    const other = "[2020-11-17 09:12:11] INFO : [ x ] of another program";
    write(sandbox, "c.log.1", `${other}\n${NEW}`);
    write(sandbox, "c.log", `${NEW}${other}\n`);
    const rotated = await sandbox.run(["logs", "c.log", "c.log.1", "--unread"]);
    assert.deepEqual(rotated.stdout.trimEnd().split("\n").sort(), [`c.log.1:1: ${other}`, `c.log:27: ${other}`]);
    const retries = await sandbox.run(["logs", "a.log", "--lines", "--event", "call.retry"]);
    assert.equal(retries.stdout, `${NEW.split("\n")[12]}\n`);
  }));

test("brokkr logs -n prints the lines of the last events of files", () =>
  inSandbox(async (sandbox) => {
    const lines = await sandbox.run(["logs", NEW_PATH, "--lines", "--level", "error"]);
    const [one, two] = [1, 2].map((count) => sandbox.run(["logs", NEW_PATH, "-n", String(count), "--level", "ERROR"]));
    const last = (await one)?.stdout ?? "";
    assert.ok(last !== "" && lines.stdout.endsWith(last));
    assert.ok((await two)?.stdout.endsWith(last) && lines.stdout.endsWith((await two)?.stdout ?? "none"));
    assert.equal(
      (await sandbox.run(["logs", NEW_PATH, "-n", "1000"])).stdout,
      (await sandbox.run(["logs", NEW_PATH, "--lines"])).stdout,
    );
    for (const words of [["--html", "out.html"], ["--unread"]] as const) {
      const { code, stdout, stderr } = await sandbox.run(["logs", ...words]);
      const [option] = words;
      const why = `Cannot take ${option} without a log file: name one, such as brokkr logs broker.log ${option}\n`;
      assert.deepEqual([code, stdout, stderr], [2, "", why]);
    }
    const report = await sandbox.run(["logs", NEW_PATH, "-n", "1", "--html", "out.html"]);
    assert.match(
      report.stderr,
      /^Cannot write a report of lines: .*leave out --lines, --unread, --last and --follow\n$/,
    );
  }));

test("brokkr logs - reads standard input, gzip too", () =>
  inSandbox(async (sandbox) => {
    for (const content of [NEW, gzipSync(NEW)]) {
      const { code, stdout } = await sandbox.run(["logs", "-", "--lines"], { input: content });
      assert.deepEqual([code, stdout], [0, NEW]);
    }
    const nothing = await sandbox.run(["logs", "-"], { input: "" });
    assert.equal(nothing.code, 2);
  }));

test("brokkr logs tells what it can't read and what to do, with exit code 2", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, "empty.log", "");
    write(sandbox, "binary.log", new Uint8Array(100));
    write(sandbox, "text.log", "Dear diary\n");
    write(sandbox, "packed.log", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3));
    mkdirSync(join(sandbox.folder, "folder"));
    const cases: readonly (readonly [name: string, why: RegExp])[] = [
      ["missing.log", /it does not exist; see log\.file in brokkr\.json/],
      ["folder", /it is a directory; name the log files in it, such as folder\/\*\.log/],
      ["empty.log", /nothing has been written to it yet/],
      ["binary.log", /it is not a log: it is binary/],
      ["text.log", /it is not a log: no line of its beginning has a time stamp such as \[2021-10-11 06:10:52\]/],
      ["packed.log", /run zstd -dc packed\.log \| brokkr logs -/],
    ];
    for (const [name, why] of cases) {
      await assert.rejects(openLogs([join(sandbox.folder, name)]), (error) => {
        assert.ok(error instanceof CliError && error.exitCode === 2);
        assert.match(error.message.replaceAll(`${sandbox.folder}/`, ""), why);
        return error.message.startsWith(`Cannot read log "${join(sandbox.folder, name)}": `);
      });
    }
    const missing = await sandbox.run(["logs", "missing.log"]);
    assert.deepEqual([missing.code, missing.stdout], [2, ""]);
    assert.match(missing.stderr, /^Cannot read log "missing\.log": it does not exist; /);
    const none = await sandbox.run(["logs"]);
    assert.equal(none.code, 5);
    assert.match(none.stderr, /^Cannot reach a broker: .*; or name log files, such as brokkr logs broker\.log$/m);
    assert.equal((await sandbox.run(["logs", NEW_PATH, "--since", "noon"])).code, 2);
    assert.match(
      (await sandbox.run(["logs", NEW_PATH, "--event", "call.timout"])).stderr,
      /did you mean "call\.timeout"\?/,
    );
  }));

test(
  "brokkr logs tells of a file that its user may not read",
  { skip: process.getuid?.() === 0 ? "root may read everything" : false },
  () =>
    inSandbox(async (sandbox) => {
      chmodSync(write(sandbox, "secret.log", NEW), 0o000);
      const { code, stderr } = await sandbox.run(["logs", "secret.log"]);
      assert.equal(code, 2);
      assert.match(stderr, /you may not read it; ask its owner/);
    }),
);

test("brokkr logs sums up what a broken gzip file has, tells it, and ends with exit code 2", () =>
  inSandbox(async (sandbox) => {
    const whole = gzipSync(NEW.repeat(200));
    write(sandbox, "cut.log.gz", whole.subarray(0, whole.length - 100));
    const { code, stdout, stderr } = await sandbox.run(["logs", "cut.log.gz", "--json"]);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot read log "cut\.log\.gz" to its end: /);
    assert.ok(JSON.parse(stdout).events > 100);
  }));

test("brokkr logs sums up a gzip file that something else was appended to, tells it, and ends with exit code 2", () =>
  inSandbox(async (sandbox) => {
    const { events } = JSON.parse(
      (write(sandbox, "new.log", NEW), await sandbox.run(["logs", "new.log", "--json"])).stdout,
    );
    const behind = Buffer.from("[2021-10-11 06:10:52] INFO : appended\n");
    for (const times of [1, 200]) {
      const packed = gzipSync(NEW.repeat(times));
      write(sandbox, "x.log.gz", Buffer.concat([packed, packed, behind]));
      for (const args of [["logs", "x.log.gz", "--json"], ["logs", "-", "--json"]]) {
        const { code, stdout, stderr } = await sandbox.run(
          args,
          args[1] === "-" ? { input: readFileSync(join(sandbox.folder, "x.log.gz")) } : {},
        );
        assert.match(
          stderr,
          /^Cannot read log ".*" to its end: the data after its end is not gzip\n$/,
        );
        assert.deepEqual([code, JSON.parse(stdout).events], [2, events * 2 * times]);
      }
    }
    write(sandbox, "x.log.gz", Buffer.concat([gzipSync(NEW), Buffer.alloc(512)]));
    const padded = await sandbox.run(["logs", "x.log.gz", "--json"]);
    assert.deepEqual([padded.code, padded.stderr, JSON.parse(padded.stdout).events], [0, "", events]);
  }));
