import assert from "node:assert/strict";
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FollowedFile } from "../../../src/cli/logs/follow.ts";
import type { LogItem } from "../../../src/core/log/parse.ts";
import { inSandbox } from "../cli_process.ts";

function line(text: string, level = "INFO"): string {
  return `[2021-10-11 06:10:52] ${level} : [ b ] [ sla ] [ LOG ] [ PID:1 ] [ T ] ${text}\n`;
}

test("brokkr logs --follow prints what is written, also after a rotation and a truncation, and Ctrl-C ends it with 130", () =>
  inSandbox(async (sandbox) => {
    const path = join(sandbox.folder, "x.log");
    writeFileSync(path, Array.from({ length: 20 }, (_, index) => line(`before ${index}.`)).join(""));
    const following = sandbox.start(["logs", "--follow", "x.log"]);
    await following.printed("stdout", line("before 19."));
    assert.equal(following.stdout.split("\n").length, 11);
    const half = line("in two parts");
    appendFileSync(path, half.slice(0, 60));
    appendFileSync(path, half.slice(60));
    await following.printed("stdout", half);

    appendFileSync(path, line("before the rotation"));
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, line("to the old file"));
    writeFileSync(path, line("to the new file"));
    await following.printed("stdout", line("to the new file"));
    assert.match(following.stderr, /"x\.log" is another file now\n/);

    truncateSync(path);
    await following.printed("stderr", '"x.log" was truncated\n');
    appendFileSync(path, line("anew"));
    await following.printed("stdout", line("anew"));
    const added = ["in two parts", "before the rotation", "to the old file", "to the new file", "anew"];
    assert.ok(following.stdout.endsWith(added.map((text) => line(text)).join("")));
    following.kill("SIGINT");
    assert.equal((await following.ended).code, 130);
  }));

test("brokkr logs --follow --json waits for its file and prints a record a line, as filtered", () =>
  inSandbox(async (sandbox) => {
    const following = sandbox.start(["logs", "--follow", "x.log", "--json", "--level", "warning"]);
    await following.printed("stderr", '"x.log" does not exist yet; waiting for it\n');
    writeFileSync(join(sandbox.folder, "x.log"), line("hello") + line("careful", "WARNING"));
    await following.printed("stdout", "\n");
    const record = JSON.parse(following.stdout);
    assert.deepEqual([record.event, record.fields.text, record.time], [
      "module.warning",
      "careful",
      "2021-10-11 06:10:52",
    ]);
    following.kill("SIGINT");
    assert.equal((await following.ended).code, 130);
  }));

test("a followed file that was truncated and has grown beyond its old size is read from its beginning", () =>
  // deno-lint-ignore require-await
  inSandbox(async (sandbox) => {
    const path = join(sandbox.folder, "x.log");
    const seen: string[] = [];
    const events = {
      item: ({ raw }: LogItem) => {
        for (const one of [raw].flat()) seen.push(one.slice(one.lastIndexOf("] ") + 2));
      },
      notice: (text: string) => void seen.push(text.replace(path, "x.log")),
    };
    writeFileSync(path, line("one") + line("two"));
    using file = new FollowedFile(path, events);
    file.open(Infinity);
    file.poll();
    for (const texts of [["three", "four", "five"], ["six", "six", "seven"], ["eight"]]) {
      truncateSync(path);
      appendFileSync(path, texts.map((text) => line(text)).join(""));
      file.poll();
      file.flush();
    }
    const truncated = '"x.log" was truncated';
    const all = [
      "one",
      "two",
      truncated,
      "three",
      "four",
      "five",
      truncated,
      "six",
      "six",
      "seven",
      truncated,
      "eight",
    ];
    assert.deepEqual(seen, all);
    appendFileSync(path, line("nine"));
    file.poll();
    file.flush();
    assert.deepEqual(seen.slice(all.length), ["nine"]);
  }));
