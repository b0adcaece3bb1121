import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { readEvents } from "../../src/cli/explain.ts";
import { EVENT_IDS, EVENTS } from "../../src/core/log/events.ts";
import { OWN_SAMPLES } from "../core/log/samples.ts";
import { command, inSandbox } from "./cli_process.ts";

const NEW = readFileSync(new URL("../fixtures/log/seed-lines-new.log", import.meta.url), "utf8");
const OLD = readFileSync(new URL("../fixtures/log/seed-lines-old.log", import.meta.url), "utf8");

test("every event is explained in whole sentences", () => {
  for (const event of EVENT_IDS) {
    const { what, why, check, did } = EVENTS[event];
    for (const sentence of [what, why, did, ...check]) assert.match(sentence, /^.{8,}[.?]$/, event);
  }
});

test("readEvents() finds the event of each line that brokkr prints, by itself", () => {
  for (const [{ event }, line] of OWN_SAMPLES) {
    assert.deepEqual(readEvents(line).map(({ read }) => read?.event), [event], line);
  }
});

test("readEvents() finds the events of older installations, and of several records on one line", () => {
  const expected = [
    "call.answered",
    "call.retry",
    "call.another-answer",
    "call.timeout",
    "call.error",
    "command.executing",
    "command.unknown",
    "command.error",
  ];
  assert.deepEqual(readEvents(OLD).map(({ read }) => read?.event), expected);
  assert.deepEqual(readEvents(OLD.replaceAll("\n", " ")).map(({ read }) => read?.event), expected);
});

const RECORD = "[2021-10-11 06:10:52] ERROR : [ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] ";
const RETRY = "The command call [c] for module M was sent but the call timed out (1s). We will retry one time.";
const TIMEOUT = "Failed to send command call [c] for module M because of timeout (1s).";

test("readEvents() reads lines that were copied from a table, with its bars", () => {
  for (const text of [RETRY, TIMEOUT, "Failed to execute received command [c] with error: bang"]) {
    const [plain] = readEvents(RECORD + text);
    for (const row of [`${RECORD}${text} |`, `| ${RECORD}${text} |  `, `${text} |`, `| ${text} |`]) {
      const [found, ...more] = readEvents(row);
      assert.deepEqual([found?.read?.event, more], [plain?.read?.event, []], row);
    }
  }
  const row = `| ${RECORD}${RETRY} | ${RECORD}${TIMEOUT} |`;
  assert.deepEqual(readEvents(row).map(({ read }) => read?.event), ["call.retry", "call.timeout"]);
});

test("readEvents() finds each of several texts on one line, and none in the message of another", () => {
  for (const between of [" ", " | ", ""]) {
    const found = readEvents(RETRY + between + TIMEOUT).map(({ read }) => read?.event);
    assert.deepEqual(found, ["call.retry", "call.timeout"], between);
  }
  const quoting = `Failed to send command call [c] for module M because of error: ${RETRY}`;
  assert.deepEqual(readEvents(quoting).map(({ read }) => read?.event), ["call.error"]);
});

test("readEvents() takes no text of brokkr's that it can't read for a line of a stack", () => {
  const raw = `${RECORD}Failed to send command call [c] for module M because of the weather.`;
  assert.deepEqual(readEvents(raw), [{ raw, read: null }]);
  for (
    const text of ["Traceback (most recent call last):", '  File "a.ts", line 1, in f', "TypeError: bang", "Exception"]
  ) {
    assert.equal(readEvents(RECORD + text)[0]?.read?.part, "stack", text);
  }
});

test("readEvents() finds the event of a line that is a part, and of a text without what stands in front of it", () => {
  for (const line of [...NEW.trimEnd().split("\n"), ...OLD.trimEnd().split("\n")]) {
    const [found, ...more] = readEvents(line);
    assert.ok(found?.read && more.length === 0, line);
    const text = line.slice(line.lastIndexOf("] ", line.search(/ (?:File|The|On|Cleanup of|ERROR stack)/) + 1) + 2);
    if (/^(?:The|On|Cleanup of|ERROR stack)/.test(text)) {
      assert.equal(readEvents(text)[0]?.read?.event, found.read.event, text);
    }
  }
  assert.deepEqual(readEvents("no line of brokkr's"), [{ raw: "no line of brokkr's", read: null }]);
});

test("brokkr explain says what an event means, what to check and what brokkr did", () =>
  inSandbox(async (sandbox) => {
    const { code, stdout, stderr } = await sandbox.run(["explain", "call.timeout"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      /^call\.timeout {2}ERROR, \[ COMMAND CALL \]\n {2}What happened {2}A command call failed: no answer/,
    );
    assert.match(stdout, /^ {2}Check {10}- /m);
    assert.match(stdout, /^ {2}brokkr did {5}Rejected the call\./m);
    assert.ok(stdout.split("\n").every((line) => line.length <= 80));
  }));

test("brokkr explain takes a line, quoted or not, and shows what it says as JSON", () =>
  inSandbox(async (sandbox) => {
    const line = NEW.split("\n").find((line) => line.includes("because of timeout")) ?? "";
    for (const words of [[line], line.split(" ")]) {
      const { code, stdout } = await sandbox.run(["explain", "--json", ...words]);
      const { explained: [{ what, why, check, did, ...rest }], unread } = JSON.parse(stdout);
      assert.deepEqual([code, unread], [0, []]);
      const row = EVENTS["call.timeout"];
      assert.deepEqual({ what, why, check, did }, { what: row.what, why: row.why, check: row.check, did: row.did });
      assert.deepEqual(rest, {
        event: "call.timeout",
        level: "error",
        tag: "COMMAND CALL",
        count: 1,
        part: null,
        first: {
          time: "2020-11-17 09:12:11",
          broker: "broker-master",
          module: "Livestatus",
          pid: 29341,
          thread: "CP Server Thread-46",
          wording: "new",
          fields: { command: "get_module_info", target: "Livestatus", timeoutMs: 1000 },
        },
      });
    }
  }));

test("brokkr explain - reads lines from standard input and explains each event once", async () => {
  const [executable = "", ...args] = command;
  const child = spawn(executable, [...args, "explain", "-", "--json"], { stdio: ["pipe", "pipe", "inherit"] });
  const deadline = setTimeout(() => child.kill("SIGKILL"), 30_000);
  child.stdin.end(`what is this\n${OLD}${OLD}`);
  const { explained, unread } = JSON.parse(await text(child.stdout));
  clearTimeout(deadline);
  const found = explained.map((one: { event: string; count: number }) => [one.event, one.count]);
  assert.deepEqual(found.slice(0, 3), [["call.answered", 2], ["call.retry", 2], ["call.another-answer", 2]]);
  assert.equal(found.length, 8);
  assert.deepEqual(unread, ["what is this"]);
});

test("brokkr explain ends with exit code 2 and the nearest event where it knows none", () =>
  inSandbox(async (sandbox) => {
    const nearest = 'it is neither an event nor a line of one; did you mean "call.timeout"?\n';
    for (const asked of ["call.timout", "timeout"]) {
      const { code, stdout, stderr } = await sandbox.run(["explain", asked]);
      assert.deepEqual([code, stdout, stderr], [2, "", `Cannot explain "${asked}": ${nearest}`]);
    }
    const { code, stderr } = await sandbox.run(["explain", "no line at all"]);
    assert.equal(code, 2);
    assert.match(stderr, /the events are cleanup\.start, cleanup\.done, /);
    assert.match(
      (await sandbox.run(["explain"])).stderr,
      /^Error: EVENT\|LINE is missing: an event such as call\.timeout, a line of a log, or - for lines from standard input\n/,
    );
  }));
