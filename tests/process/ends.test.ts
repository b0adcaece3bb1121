import { Broker, CallTimeoutError, defineProgram, type LogRecord, type ModuleSettings, ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { bystander, ending } from "../fixtures/broker/ending.ts";
import { children, zombies } from "../fixtures/processes.ts";
import { isAlive, rejection } from "./broker_of.ts";

const PROGRAM = new URL("../fixtures/broker/ending.ts", import.meta.url);
const GUARDLESS = new URL("../fixtures/broker/guardless.ts", import.meta.url);
const LONG = { timeoutMs: 60_000 };
const options = { timeout: 60_000 };
const onLinux = { ...options, skip: process.platform === "linux" ? false : "needs /proc" };

// Bun ends a process that gets SIGSEGV with a report of its own.
const SEGV = "Bun" in globalThis ? null : "SIGSEGV";

for (const how of [1, 0, "SIGKILL", "SIGSEGV"] as const) {
  test(
    `a call that runs when its process ends by ${how} is rejected at once, with that and the last words`,
    options,
    async () => {
      const t = await start({ restart: "never" });
      try {
        const pid = await t.broker.call(ending, "pid");
        const bystanderPid = await t.broker.call(bystander, "pid");
        const running = t.broker.call(ending, "wait", [60_000], LONG);
        const error = await rejection(t.broker.call(ending, "end", [how, "the disk\nis full\n"], LONG));
        assert.ok(error instanceof ProcessGoneError);
        const expected = typeof how === "number" ? { exitCode: how, signal: null } : { exitCode: null, signal: how };
        if (how !== "SIGSEGV" || SEGV !== null) {
          assert.deepEqual({ exitCode: error.exitCode, signal: error.signal }, expected);
          assert.deepEqual(error.lastLines, ["the disk", "is full"]);
          const text = typeof how === "number" ? `exited with code ${how}` : `was killed by ${how}`;
          assert.deepEqual(t.lines("process.exited"), [
            `WARNING : [ endings ] [ ending ] [ PROCESS ] [ PID:${process.pid} ] [ MainThread ] ending ended unexpectedly ` +
            `(pid ${pid}, exit code ${expected.exitCode ?? "none"}, signal ${
              expected.signal ?? "none"
            }): process ${text}`,
          ]);
          assert.deepEqual(t.texts("call.error").toSorted(), [
            `Failed to send command call [end] for module ending because of error: process ${text}`,
            `Failed to send command call [wait] for module ending because of error: process ${text}`,
          ]);
        } else {
          assert.ok(error.signal !== null || (error.exitCode ?? 0) > 0);
          assert.deepEqual(error.lastLines.slice(0, 2), ["the disk", "is full"]);
        }
        assert.ok(await rejection(running) instanceof ProcessGoneError, "the others that run get the same");
        const { modules } = await t.broker.status();
        assert.deepEqual([modules[0]?.calls.error, modules[0]?.calls.ok], [2, 1]);
        assert.equal(await isAlive(pid), false);
        assert.equal(await t.broker.call(bystander, "pid"), bystanderPid);
      } finally {
        await t.broker.stop();
      }
    },
  );
}

test("a process that does not end when asked gets SIGTERM, then SIGKILL, with a line for each", options, async () => {
  const t = await start({ drainMs: 200, killMs: 200 });
  const pid = await t.broker.call(ending, "pid");
  await t.broker.call(ending, "cling");
  await t.broker.stop();
  const head = `[ endings ] [ ending ] [ PROCESS ] [ PID:${process.pid} ] [ MainThread ] ending `;
  const told = t.lines("process.killed").map((line) => line.slice(line.indexOf(head)));
  assert.equal(told.length, 2);
  assert.match(told[0] ?? "", /SIGTERM.*0\.2s/);
  assert.match(told[1] ?? "", /SIGKILL.*0\.2s/);
  assert.equal(await isAlive(pid), false);
});

test(
  "a process that is stopped and goes on: what runs out of time is blocked, the next call is served",
  options,
  async () => {
    const t = await start({});
    try {
      const pid = await t.broker.call(ending, "pid");
      process.kill(pid, "SIGSTOP");
      const error = await rejection(t.broker.call(ending, "pid", [], { timeoutMs: 200 }));
      assert.ok(error instanceof CallTimeoutError);
      assert.equal(error.peer, "blocked");
      assert.deepEqual(t.texts("call.retry"), [
        "The command call [pid] for module ending was sent but the call timed out (0.2s). We will retry one time.",
      ]);
      assert.deepEqual(t.texts("call.timeout"), [
        "Failed to send command call [pid] for module ending because of timeout (0.2s).",
      ]);
      process.kill(pid, "SIGCONT");
      assert.equal(await t.broker.call(ending, "pid", [], LONG), pid);
      const { modules } = await t.broker.status();
      assert.deepEqual([modules[0]?.calls.timeout, modules[0]?.calls.ok, modules[0]?.restarts], [1, 2, 0]);
      assert.deepEqual(t.lines("process.exited"), []);
    } finally {
      await t.broker.stop();
    }
  },
);

test(
  "an answer that is sent just before the end arrives, crash after crash, and none leaves a zombie",
  onLinux,
  async () => {
    const t = await start({ restart: { delayMs: 0, maxRestarts: 1_000 } });
    try {
      for (let round = 0; round < 12; round++) {
        assert.equal(await t.broker.call(ending, "answer_and_end", [round], LONG), round);
        // A call that had left already would end with the process.
        await t.until(() => t.lines("process.exited").length === round + 1);
      }
      assert.equal(typeof await t.broker.call(ending, "pid", [], LONG), "number");
      assert.deepEqual(zombies(), []);
      assert.equal((await t.broker.status()).modules[0]?.restarts, 12);
    } finally {
      await t.broker.stop();
    }
  },
);

/** Holds the broker up while its process prints the last of 1,000 lines, so that these, the answer and the end come at once. */
function holdUpAt(record: LogRecord): void {
  if (record.event !== "process.output" || !/ 960 x/.test(record.lines()[0] ?? "")) return;
  const until = Date.now() + 300;
  while (Date.now() < until);
}

/** The numbers of the lines that were printed, and the end of the process. */
function lastOf(records: readonly LogRecord[]): (number | "exited")[] {
  return records.flatMap((record): (number | "exited")[] => {
    if (record.event === "process.exited") return ["exited"];
    return record.event === "process.output" ? [Number(/ (\d+) x/.exec(record.lines()[0] ?? "")?.[1])] : [];
  });
}

const LINES = [...Array.from({ length: 1_000 }, (_, line) => line), "exited"];

test("a module that prints 1 MB, answers and ends in the same turn loses none of it", options, async () => {
  const records: LogRecord[] = [];
  const t = await start({ restart: "never", output: { maxLinesPerSecond: 2_000 } }, (record) => {
    records.push(record);
    holdUpAt(record);
  });
  try {
    const answer = await t.broker.call(ending, "print_answer_and_end", [1_000], LONG);
    assert.ok(answer === "y".repeat(100_000), `the answer has ${answer.length} characters`);
    await t.until(() => t.lines("process.exited").length === 1);
    assert.deepEqual(lastOf(records), LINES);
    assert.deepEqual(t.lines("process.dropped"), []);
    const { modules: [status] } = await t.broker.status();
    assert.deepEqual([status?.state, status?.calls.ok, status?.calls.error], ["failed", 1, 0]);
  } finally {
    await t.broker.stop();
  }
});

test("a program that prints 1 MB, answers with 1 MB and ends in the same turn loses none of it", options, async () => {
  const last = defineProgram({
    name: "last",
    command: [
      "node",
      "-e",
      `const { writeSync } = require("fs");
      process.stdin.once("data", (request) => {
        const { id } = JSON.parse(request);
        const answer = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, result: "y".repeat(1_000_000) }) + "\\n");
        const most = answer.length - 1_000;
        for (let at = 0; at < most;) at += writeSync(1, answer, at, most - at);
        for (let line = 0; line < 1000; line++) writeSync(2, (line + " ").padEnd(999, "x") + "\\n");
        writeSync(1, answer.subarray(-1_000));
        process.exit(9);
      });`,
    ],
    restart: "never",
    output: { maxLinesPerSecond: 2_000 },
  });
  const records: LogRecord[] = [];
  const log = (record: LogRecord) => {
    records.push(record);
    holdUpAt(record);
  };
  const broker = await Broker.start({ name: "endings", modules: [last], program: PROGRAM, log });
  const told = (event: string) => records.filter((record) => record.event === event);
  try {
    const answer = await broker.call(last, "anything", [], LONG);
    assert.ok(answer === "y".repeat(1_000_000), `the answer has ${String(answer).length} characters`);
    while (told("process.exited").length === 0) await settled(10);
    assert.deepEqual(lastOf(records), LINES);
    assert.deepEqual(told("process.dropped"), []);
    const { modules: [status] } = await broker.status();
    assert.deepEqual([status?.state, status?.calls.ok, status?.calls.error], ["failed", 1, 0]);
  } finally {
    await broker.stop();
  }
});

test("rounds of start, call and stop leave no descriptor and no process", onLinux, async () => {
  const round = async () => {
    const t = await start({});
    await t.broker.call(ending, "pid");
    await t.broker.stop();
  };
  // What is loaded once is not counted.
  for (let warmUp = 0; warmUp < 2; warmUp++) await round();
  await settled();
  const before = readdirSync("/proc/self/fd").length;
  const processes = children().length;
  for (let index = 0; index < 8; index++) await round();
  await settled();
  const left = readdirSync("/proc/self/fd").length - before;
  assert.ok(left <= 2, `${left} descriptors are left`);
  assert.equal(children().length, processes);
});

test(
  "with too few descriptors some modules fail, with a reason and a pause, and the others serve",
  onLinux,
  async () => {
    const command = [process.execPath, ...RUN_FLAGS, fileURLToPath(PROGRAM), "20"];
    const child = spawn("/bin/sh", ["-c", 'ulimit -n 64; exec "$@"', "sh", ...command], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => text += String(chunk));
    const [code] = await once(child, "close");
    assert.equal(code, 0, text);
    const states: string[] = JSON.parse(text.split("\n").find((line) => line.startsWith('["')) ?? "[]");
    assert.equal(states.length, 20, text);
    assert.ok(states.includes("ready"), text);
    assert.ok(states.includes("failed"), text);
    assert.match(
      text,
      /FATAL : .* will not be started again: .*too many files are open, raise the limit \(ulimit -n\)/,
    );
    assert.match(text, /WARNING : .* will be started again in 0\.\d+s /);
  },
);

test(
  "a guard that dies while no descriptor is left costs the broker nothing, and another one follows when there are",
  onLinux,
  async () => {
    const command = [process.execPath, ...RUN_FLAGS, fileURLToPath(GUARDLESS)];
    const child = spawn("/bin/sh", ["-c", 'ulimit -n 128; exec "$@"', "sh", ...command], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => text += String(chunk));
    const [code] = await once(child, "close");
    assert.equal(code, 0, text);
    assert.match(
      text,
      /WARNING : .* \[ BROKER \] .* The broker has no guard at the moment, it is started again in 1s: .*too many files are/,
    );
    assert.match(text, /\ncalled 1000000\n([^]*\n)?guarded again\n$/);
  },
);

interface Started {
  readonly broker: Broker;
  /** Lines of an event, without their time stamps. */
  lines(event: string): string[];
  /** The same without their prefixes. */
  texts(event: string): string[];
  until(condition: () => boolean): Promise<void>;
}

async function start(settings: ModuleSettings, seen: (record: LogRecord) => void = () => {}): Promise<Started> {
  const records: LogRecord[] = [];
  const broker = await Broker.start({
    name: "endings",
    modules: [ending, bystander],
    settings: { ending: settings },
    program: PROGRAM,
    log: (record) => {
      records.push(record);
      seen(record);
    },
  });
  const lines = (event: string) =>
    records.filter((record) => record.event === event).flatMap((record) => record.lines())
      .map((line) => line.replace(/^\[[^\]]*\] /, ""));
  return {
    broker,
    lines,
    texts: (event) => lines(event).map((line) => line.slice(line.indexOf("MainThread ] ") + 13)),
    async until(condition) {
      while (!condition()) await settled(10);
    },
  };
}

async function settled(ms = 300): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
