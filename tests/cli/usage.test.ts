import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { VERSION } from "../../src/core/version.ts";
import { brokerConfig, command, inSandbox } from "./cli_process.ts";

test("brokkr --version prints the version alone", () =>
  inSandbox(async (sandbox) => {
    const { code, stdout, stderr } = await sandbox.run(["--version"]);
    assert.deepEqual([code, stdout, stderr], [0, `${VERSION}\n`, ""]);
  }));

test("brokkr --help shows each command and examples", () =>
  inSandbox(async (sandbox) => {
    const { code, stdout, stderr } = await sandbox.run(["--help"]);
    assert.deepEqual([code, stderr], [0, ""]);
    for (
      const name of [
        "run",
        "call",
        "status",
        "restart",
        "stop",
        "reload",
        "logs",
        "explain",
        "check",
        "init",
        "demo",
        "completion",
      ]
    ) {
      assert.match(stdout, new RegExp(`^Usage: brokkr ${name}\\b|^ +brokkr ${name}\\b`, "m"));
    }
    assert.match(stdout, /^Examples:\n {2}brokkr demo /m);
    const call = await sandbox.run(["call", "--help"]);
    assert.match(
      call.stdout,
      /Usage: brokkr call \[--timeout TIME\] \[--stream\] \[--json\] \[--broker NAME\] TARGET COMMAND/,
    );
  }));

test("brokkr ends with exit code 2 and a hint where it is used wrongly", () =>
  inSandbox(async (sandbox) => {
    for (const args of [["cal"], [], ["call", "sla"], ["call", "sla", "x", "--timeout", "500"], ["status", "--jsn"]]) {
      const { code, stdout, stderr } = await sandbox.run(args);
      assert.deepEqual([args, code, stdout], [args, 2, ""]);
      assert.match(stderr, /^Error: [^]*\nSee "brokkr --help", or for one command "brokkr call --help"\n$/);
    }
    const { stderr } = await sandbox.run(["call", "sla", "x", "--timeout", "500"]);
    assert.match(
      stderr,
      /"500" must be a time above 0 with its unit, such as 500ms, 1s or 2m; a number without a unit/,
    );
    const name = await sandbox.run(["status", "--broker", "../x"]);
    assert.deepEqual([name.code, name.stderr], [
      2,
      '--broker must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "../x"\n',
    ]);
  }));

test("brokkr whose output can't be written says why and ends with exit code 1, whatever it is asked", {
  skip: existsSync("/dev/full") ? false : "this system has no /dev/full",
}, () => {
  const full = openSync("/dev/full", "w");
  try {
    const [executable = "", ...first] = command;
    const asked = [["--help"], ["call", "--help"], ["--version"], ["completion", "bash"], ["explain", "call.timeout"], [
      "check",
      brokerConfig,
      "--json",
    ]];
    for (const args of asked) {
      const { status, stderr } = spawnSync(executable, [...first, ...args], {
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" },
      });
      assert.deepEqual([args, status], [args, 1], stderr);
      assert.match(stderr, /^Cannot write to standard output: ENOSPC: .*; make room on its file system\n$/);
    }
  } finally {
    closeSync(full);
  }
});

test("brokkr whose reader goes away before the end of its output ends with exit code 0 and says nothing", {
  skip: spawnSync("bash", ["-c", "true"]).status === 0 ? false : "there is no bash on PATH",
}, () => {
  for (const args of ["--help", "completion bash"]) {
    const line = `"$@" ${args} | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", line, "bash", ...command], { encoding: "utf8" });
    assert.deepEqual([args, stdout, stderr], [args, "0\n", ""]);
  }
});
