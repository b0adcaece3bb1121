import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { statusTable } from "../../src/cli/status_table.ts";
import type { BrokerStatus } from "../../src/core/broker/status.ts";
import type { ProcessStatus } from "../../src/core/wire/status.ts";
import { fixture, inSandbox } from "./cli_process.ts";

test("brokkr status --json prints one document of a shape that stays", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    await sandbox.run(["call", "sla", "greet", "world"]);
    const { code, stdout, stderr } = await sandbox.run(["status", "--json", "--broker", "cli-test"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const { broker, modules } = JSON.parse(stdout);
    assert.deepEqual(Object.keys(broker), ["name", "pid", "uptimeMs", "version", "runtime", "zombies"]);
    const keys = [
      "name",
      "state",
      "pid",
      "restarts",
      "uptimeMs",
      "blocked",
      "nextRestartMs",
      "reason",
      "memory",
      "calls",
      "latencyMs",
      "cleanup",
    ];
    const [sla, livestatus] = modules;
    assert.deepEqual(Object.keys(sla), [...keys, "workers"]);
    assert.deepEqual(Object.keys(livestatus.workers[0]), keys);
    assert.deepEqual(Object.keys(sla.memory).sort(), ["privateBytes", "pssBytes", "rssBytes"]);
    assert.deepEqual(sla.calls, {
      ok: 1,
      error: 0,
      timeout: 0,
      retried: 0,
      late: 0,
      duplicate: 0,
      unknown: 0,
      cancelled: 0,
    });
    assert.equal(typeof sla.latencyMs.p99, "number");
    assert.deepEqual(Object.keys(sla.cleanup), [
      ...["ms", "released", "errors", "modules"],
      ...["privateBytes", "pssBytes", "heapBytes", "openFiles"].flatMap((
        figure,
      ) => [`${figure}Before`, `${figure}After`]),
      "leftovers",
    ]);
  }));

test("brokkr status --watch --json prints a document a line until its reader is gone", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const watching = sandbox.start(["status", "--watch", "--json"]);
    await watching.printed("stdout", "\n", 2);
    for (const line of watching.stdout.trim().split("\n")) assert.equal(JSON.parse(line).broker.name, "cli-test");
    watching.child.stdout?.destroy();
    const { code, stderr } = await watching.ended;
    assert.deepEqual([code, stderr], [0, ""]);
  }));

test("brokkr status ends with exit code 5 where no broker runs, and says how a program of one's own is reached", () =>
  inSandbox(async (sandbox) => {
    const none =
      `you have none running with its socket in "${join(sandbox.runtimeFolder, "brokkr")}", start one with ` +
      '"brokkr run", set "control" to true in Broker.start of your program, or set XDG_RUNTIME_DIR here as it is where ' +
      "the broker runs";
    assert.deepEqual(await sandbox.run(["status"]), {
      code: 5,
      signal: null,
      stdout: "",
      stderr: `Cannot reach a broker: ${none}\n`,
    });
    assert.deepEqual(await sandbox.run(["status", "--broker", "other"]), {
      code: 5,
      signal: null,
      stdout: "",
      stderr: `Cannot reach broker "other": ${none}\n`,
    });
    const { stdout } = await sandbox.run(["call", "--json", "sla", "greet"]);
    assert.deepEqual(JSON.parse(stdout), {
      ok: false,
      error: {
        code: "GONE",
        name: "NoBrokerError",
        message: `Cannot reach a broker: ${none}`,
        remoteName: null,
        remoteStack: null,
      },
    });
  }));

test("brokkr status asks which broker where several run", () =>
  inSandbox(async (sandbox) => {
    const folder = join(sandbox.folder, "other");
    mkdirSync(folder);
    writeFileSync(join(folder, "sla.js"), readFileSync(fixture("broker/sla.js")));
    writeFileSync(join(folder, "brokkr.json"), '{ "name": "other", "modules": { "sla": { "path": "sla.js" } } }');
    await Promise.all([sandbox.broker(), sandbox.broker(["run", join(folder, "brokkr.json")])]);
    assert.deepEqual(await sandbox.run(["status"]), {
      code: 2,
      signal: null,
      stdout: "",
      stderr: "Cannot choose a broker: 2 run (cli-test, other), name one with --broker\n",
    });
    assert.equal((await sandbox.run(["call", "--broker", "other", "sla", "greet", "you"])).stdout, "Hello you\n");
    const strange = await sandbox.run(["status", "--broker", "billing"]);
    assert.deepEqual([strange.code, strange.stderr], [
      5,
      'Cannot reach broker "billing": no broker of this name runs, only cli-test, other\n',
    ]);
    const wrong = await sandbox.run(["status", "--broker", "othr"]);
    assert.deepEqual([wrong.code, wrong.stderr], [
      5,
      'Cannot reach broker "othr": no broker of this name runs, did you mean "other"\n',
    ]);
  }));

test("statusTable() shows modules with their workers, and of the columns those that fit the terminal", () => {
  const process = (name: string, more: Partial<ProcessStatus> = {}): ProcessStatus => ({
    name,
    state: "ready",
    pid: 4242,
    restarts: 0,
    blocked: false,
    nextRestartMs: null,
    reason: null,
    uptimeMs: 3_723_000,
    memory: { rssBytes: 50_000_000, pssBytes: null, privateBytes: 15_728_640 },
    calls: { ok: 7, error: 1, timeout: 2, retried: 3, late: 0, duplicate: 0, unknown: 0, cancelled: 0 },
    latencyMs: { p50: 0.143, p99: 21.4, sumMs: 25, histogram: [] },
    cleanup: null,
    ...more,
  });
  const none = { rssBytes: null, pssBytes: null, privateBytes: null };
  const status: BrokerStatus = {
    broker: { name: "b", pid: 1, uptimeMs: 61_000, version: "0.1.0", runtime: "deno 2.9.5", zombies: null },
    modules: [
      { ...process("Livestatus"), workers: [process("Livestatus-1", { uptimeMs: 9_000 })] },
      {
        ...process("sla", {
          state: "failed",
          reason: "process exited\nwith code 3",
          pid: null,
          memory: none,
          latencyMs: { p50: null, p99: null, sumMs: 0, histogram: [] },
        }),
        workers: [],
      },
    ],
    standby: [{ pid: 9, memory: { rssBytes: null, pssBytes: null, privateBytes: 2_097_152 } }],
  };
  assert.equal(
    statusTable(status, { colors: false }),
    "b: pid 1, up 1m 01s, brokkr 0.1.0, deno 2.9.5\n" +
      "\n" +
      "NAME            STATE    PID  RESTARTS  UPTIME    MEMORY  OK  ERR  TIMEOUT      P50    P99\n" +
      "Livestatus      ready   4242         0  1h 02m  15.0 MiB  10    1        2  0.14 ms  21 ms\n" +
      "  Livestatus-1  ready   4242         0      9s  15.0 MiB  10    1        2  0.14 ms  21 ms\n" +
      "sla             failed     -         0       -         -  10    1        2        -      -\n" +
      "\n" +
      "sla has failed: process exited\\nwith code 3\n" +
      "\n" +
      "standby: pid 9 (2.0 MiB)",
  );
  assert.deepEqual(statusTable(status, { colors: false, width: 80 }).split("\n").slice(2, 6), [
    "NAME            STATE    PID  RESTARTS    MEMORY  OK  ERR  TIMEOUT    P99",
    "Livestatus      ready   4242         0  15.0 MiB  10    1        2  21 ms",
    "  Livestatus-1  ready   4242         0  15.0 MiB  10    1        2  21 ms",
    "sla             failed     -         0         -  10    1        2      -",
  ]);
  for (let width = 12; width < 100; width++) {
    const lines = statusTable(status, { colors: false, width }).split("\n").slice(2, 6);
    assert.ok(lines.every((line) => line.length <= width), lines.join("\n"));
    assert.ok(
      width < 22 || lines.every((line, index) => line.includes(["STATE", "ready", "ready", "failed"][index] ?? "")),
    );
  }
  const long = {
    ...process("a".repeat(58)),
    workers: [process(`${"a".repeat(58)}-1`), process(`${"a".repeat(58)}-2`)],
  };
  assert.equal(
    statusTable({ ...status, modules: [long], standby: [] }, { colors: false, width: 40 }),
    "b: pid 1, up 1m 01s, brokkr 0.1.0, deno…\n" +
      "\n" +
      "NAME                               STATE\n" +
      "aaaaaaaaaaaaaaaaaaaaa…aaaaaaaaaaa  ready\n" +
      "  aaaaaaaaaaaaaaaaaaa…aaaaaaaaa-1  ready\n" +
      "  aaaaaaaaaaaaaaaaaaa…aaaaaaaaa-2  ready",
  );
  const colored = statusTable(status, { colors: true });
  assert.ok(colored.includes(" \x1b[32mready\x1b[0m ") && colored.includes(" \x1b[31mfailed\x1b[0m "));
});

/** Gives a program process numbers of its own, of which it has the first. */
const CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const isPossible = spawnSync("unshare", [...CONTAINER.slice(1), "true"]).status === 0;
const skip = isPossible ? false : "needs the right to unshare process numbers";

test(
  "brokkr run as process 1 of a container warns of zombies, and brokkr status counts them",
  { skip },
  () =>
    inSandbox(async (sandbox) => {
      const orphan = 'spawn("sh", ["-c", "(sleep 0.01 &)"])';
      writeFileSync(
        join(sandbox.folder, "sla.mjs"),
        `import { spawn } from "node:child_process";\n` +
          `export default { name: "sla", commands: { orphan: () => void ${orphan} } };\n`,
      );
      writeFileSync(
        join(sandbox.folder, "brokkr.json"),
        '{ "name": "b", "modules": { "sla": { "path": "sla.mjs" } } }',
      );
      const broker = await sandbox.broker(["run"], { within: CONTAINER });
      assert.match(
        broker.stderr,
        /WARNING : .*The broker is process 1, .* what to do: run the container with an init: /,
      );
      await sandbox.run(["call", "sla", "orphan"]);
      let status: BrokerStatus;
      do status = JSON.parse((await sandbox.run(["status", "--json"])).stdout); while (status.broker.zombies !== 1);
      assert.equal(status.broker.pid, 1);
      assert.match((await sandbox.run(["status"])).stdout, /\n\n1 zombie: ended processes that nobody collects; /);
    }),
);
