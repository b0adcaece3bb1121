import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { readArguments } from "../../src/cli/arguments.ts";
import { COMMAND_ROWS } from "../../src/cli/commands.ts";
import { manPage } from "../../src/cli/help.ts";
import { VERSION } from "../../src/core/version.ts";
import { brokerConfig, command, inSandbox } from "./cli_process.ts";

test("brokkr --version, -V and version print the version alone", () =>
  inSandbox(async (sandbox) => {
    for (const word of ["--version", "-V", "version"]) {
      const { code, stdout, stderr } = await sandbox.run([word]);
      assert.deepEqual([word, code, stdout, stderr], [word, 0, `${VERSION}\n`, ""]);
    }
  }));

test("brokkr without a command shows the help as -h, --help and help do: each command's usage, and examples", () =>
  inSandbox(async (sandbox) => {
    const { code, stdout, stderr } = await sandbox.run([]);
    assert.deepEqual([code, stderr], [0, ""]);
    for (const name of COMMAND_ROWS.keys()) assert.match(stdout, new RegExp(`^ {2}brokkr ${name}\\b`, "m"));
    assert.match(stdout, /^Examples:\n {2}brokkr demo /m);
    for (const word of ["-h", "--help", "help"]) {
      assert.deepEqual({ word, ...await sandbox.run([word]) }, { word, code, signal: null, stdout, stderr });
    }
    const call = await sandbox.run(["call", "--help"]);
    assert.match(
      call.stdout,
      /Usage: brokkr call \[--timeout TIME\] \[--stream\] \[--json\] \[--broker NAME\] TARGET COMMAND/,
    );
    assert.match(call.stdout, /^Examples:\n {2}brokkr call sla get_report /m);
    for (const args of [["help", "call"], ["call", "-h"], ["call", "sla", "x", "1", "--json", "-h"]]) {
      assert.deepEqual({ args, ...await sandbox.run(args) }, { args, ...call });
    }
  }));

test("brokkr ends with exit code 2 where it is used wrongly, says what was probably meant, and names the help of it", () =>
  inSandbox(async (sandbox) => {
    const wrong: readonly (readonly [args: string, message: string, help: string])[] = [
      ["cal sla x", 'There is no command "cal"; did you mean "call"?', "call "],
      ["help cal", 'There is no command "cal"; did you mean "call"?', "call "],
      ["call sla", "COMMAND is missing: name of its command", "call "],
      ["status --jsn", 'There is no option "--jsn"; did you mean "--json"?', "status "],
      [
        "status --xyzzy",
        'There is no option "--xyzzy"; the options are --json, --cluster, --watch, --broker, --help',
        "status ",
      ],
      ["status sla", '"sla" is one operand too many', "status "],
      ["status --broker", "--broker needs NAME after it", "status "],
      ["status --json=yes", "--json takes no value", "status "],
      ["status --broker a --broker b", "--broker may be given once", "status "],
      [
        "logs --level eror",
        'LEVEL must be one of debug, info, warning, error, fatal, and it is "eror"; did you mean "error"?',
        "logs ",
      ],
      ["logs --event call.timout", 'There is no event "call.timout"; did you mean "call.timeout"?', "logs "],
      [
        "call sla x --timeout 500",
        '"500" must be a time above 0 with its unit, such as 500ms, 1s or 2m; a number without a unit is not one',
        "call ",
      ],
      ["--verson", 'There is no option "--verson" before a command; did you mean "--version"?', ""],
      [
        "--json status",
        'There is no option "--json" before a command; those of a command stand after it, as in brokkr status --json',
        "",
      ],
    ];
    for (const [args, message, help] of wrong) {
      const outcome = await sandbox.run(args.split(" "));
      const stderr = `Error: ${message}\nSee "brokkr ${help}--help"\n`;
      assert.deepEqual({ args, ...outcome }, { args, code: 2, signal: null, stdout: "", stderr });
    }
    assert.match((await sandbox.run(["xyzzy"])).stderr, /the commands are run, call, .*\nSee "brokkr --help"\n$/);
    const name = await sandbox.run(["status", "--broker", "../x"]);
    assert.deepEqual([name.code, name.stderr], [
      2,
      '--broker must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "../x"\n',
    ]);
  }));

test("readArguments() takes options anywhere before --, with = or without, and a number as an operand", async () => {
  const read = async (line: string) => await readArguments("call", line.split(" "));
  const expected = { target: "sla", command: "add", stream: false, json: true, broker: "b", timeoutMs: 500 };
  for (
    const line of ["--json sla --broker=b add -1 .5 --timeout 500ms", "--timeout=500ms --json --broker b sla add -1 .5"]
  ) {
    assert.deepEqual(await read(line), { ...expected, params: ["-1", ".5"] });
  }
  assert.deepEqual(await read("sla add --json --broker b --timeout 500ms -- -h --json -"), {
    ...expected,
    params: ["-h", "--json", "-"],
  });
  assert.equal((await readArguments("logs", ["--level", "WARN"]))?.level, "warning");
  assert.deepEqual(await readArguments("logs", ["-f", "--module", "a", "--module=b", "-"]), {
    ...{ files: ["-"], modules: ["a", "b"], commands: [], events: [], level: undefined, since: undefined },
    ...{
      until: undefined,
      lines: false,
      unread: false,
      follow: true,
      count: undefined,
      html: undefined,
      json: false,
      broker: undefined,
    },
  });
});

test("brokkr man prints a page with every command and option", async () => {
  const page = manPage();
  for (const [name, { params }] of COMMAND_ROWS) {
    assert.ok(page.includes(`\n.SS ${name}\n`), name);
    for (const flag of Object.values(params).flatMap(({ flags }) => flags ?? [])) {
      assert.ok(page.includes(flag.replaceAll("-", "\\-")), flag);
    }
  }
  await inSandbox(async (sandbox) => {
    assert.equal((await sandbox.run(["man"])).stdout, page);
  });
});

test("the man page has nothing that groff warns of", {
  skip: spawnSync("groff", ["--version"]).status === 0 ? false : "there is no groff on PATH",
}, () => {
  const { status, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "-"], { input: manPage(), encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});

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
