import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { command, inSandbox } from "./cli_process.ts";
import { NO_TMUX, Screen } from "./screen.ts";

test("brokkr call prints results on standard output and nothing else there", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const greeted = await sandbox.run(["call", "sla", "greet", "world"]);
    assert.deepEqual(greeted, { code: 0, signal: null, stdout: "Hello world\n", stderr: "" });
    const echoed = await sandbox.run(["call", "sla", "echo", '{"a":1}', "text", "7", '"7"', "--", "-5", "--x"]);
    assert.deepEqual(JSON.parse(echoed.stdout), [{ a: 1 }, "text", 7, "7", -5, "--x"]);
    const nothing = await sandbox.run(["call", "sla", "nothing"]);
    assert.deepEqual(nothing, { code: 0, signal: null, stdout: "", stderr: "" });
  }));

test("brokkr call --json prints result, attempts and milliseconds", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const call = async (...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.run(["call", "--json", ...args]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      const { ms, ...rest } = JSON.parse(stdout);
      assert.equal(typeof ms, "number");
      assert.equal(stdout.endsWith("}\n") && stdout.indexOf("\n") === stdout.length - 1, true);
      return rest;
    };
    assert.deepEqual(await call("sla", "greet", "world"), { ok: true, result: "Hello world", attempts: 1 });
    assert.deepEqual(await call("sla", "nothing"), { ok: true, result: null, attempts: 1 });
    assert.deepEqual(await call("--timeout", "400ms", "sla", "slow", "500"), {
      ok: true,
      result: "answered",
      attempts: 2,
    });
  }));

test("brokkr call prints a bigint as its digits, and NaN and infinities as texts that are not null", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const printed = async (...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.run(["call", ...args]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      return stdout;
    };
    const form = '{"big":-12345678901234567890,"numbers":[1,"NaN","Infinity","-Infinity",0],' +
      '"at":"1970-01-01T00:00:00.000Z","bytes":"aGk=","text":"7n"}';
    const json = await printed("--json", "sla", "odd");
    assert.equal(json.replace(/"ms":[\d.]+/, '"ms":1'), `{"ok":true,"result":${form},"attempts":1,"ms":1}\n`);
    assert.equal((await printed("sla", "odd")).replaceAll(/\n */g, "").replaceAll('": ', '":'), form);
    assert.equal(await printed("sla", "big"), "18446744073709551616\n");
    assert.equal(await printed("sla", "infinite"), '"-Infinity"\n');
    assert.equal(await printed("--stream", "sla", "bigs"), '18446744073709551616\n{"ratio":"NaN"}\n');
  }));

test("brokkr call makes a call once, also where its answer is an error or more than JSON", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    assert.equal((await sandbox.run(["call", "sla", "crash", "no"])).code, 1);
    assert.equal((await sandbox.run(["call", "sla", "big"])).stdout, "18446744073709551616\n");
    const long = "x".repeat(5_000);
    assert.equal((await sandbox.run(["call", "sla", "greet", long])).stdout, `Hello ${long}\n`);
    const zero = await sandbox.run(["call", "--json", "sla", "echo", "[-0]", "--broker", "cli-test"]);
    assert.deepEqual(JSON.parse(zero.stdout).result, [[0]]);
    const { modules } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
    const { ok, error, retried } = modules.find((module: { name: string }) => module.name === "sla").calls;
    assert.deepEqual({ ok, error, retried }, { ok: 3, error: 1, retried: 0 });
  }));

test("brokkr call ends with an exit code for each way to fail, and says what to do", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const failure = async (...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.run(["call", ...args]);
      assert.equal(stdout, "");
      return [code, stderr];
    };
    assert.deepEqual(await failure("sla", "crash", "no such month"), [
      1,
      `Command "crash" of module "sla" failed: TypeError: no such month; ` +
      `see the broker's log for its stack, or call with --json\n`,
    ]);
    const [, empty] = await failure("sla", "crash", "");
    assert.match(String(empty), /^Command "crash" of module "sla" failed: TypeError; see /);
    const [code, text] = await failure("sla", "circular");
    assert.equal(code, 1);
    assert.match(
      String(text),
      /^Cannot call command "circular" of module "sla": result is not serializable: .*; .*\n$/,
    );
    assert.deepEqual(await failure("sla", "never", "--timeout", "100ms"), [
      3,
      'Cannot call command "never" of module "sla": timeout (0.1s): module "sla" is slow, 2 attempts; ' +
      "give it more time with --timeout, or see the broker's log\n",
    ]);
    assert.deepEqual(await failure("sla", "gret"), [
      4,
      'Cannot call command "gret" of module "sla": unknown command, did you mean "greet"; ' +
      'see the commands with "brokkr describe"\n',
    ]);
    assert.deepEqual(await failure("slb", "greet"), [
      4,
      'Cannot call command "greet" of module "slb": unknown module, did you mean "sla"; ' +
      'see the modules with "brokkr status"\n',
    ]);
    assert.deepEqual(await failure("sla", "exit", "3"), [
      5,
      'Cannot call command "exit" of module "sla": process exited with code 3; ' +
      'see the broker\'s log, or "brokkr status"\n',
    ]);
  }));

test("brokkr call --json describes a failure on standard output", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const failure = async (...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.run(["call", "--json", ...args]);
      assert.equal(stderr, "");
      return { code, ...JSON.parse(stdout) };
    };
    const crash = await failure("sla", "crash", "no such month");
    assert.match(crash.error.remoteStack, /^TypeError: no such month\n {4}at .*sla\.js/);
    assert.deepEqual(crash, {
      code: 1,
      ok: false,
      error: {
        code: "REMOTE",
        name: "RemoteError",
        message: "no such month",
        remoteName: "TypeError",
        remoteStack: crash.error.remoteStack,
      },
    });
    assert.deepEqual(await failure("slb", "greet"), {
      code: 4,
      ok: false,
      error: {
        code: "UNKNOWN_MODULE",
        name: "UnknownModuleError",
        message: 'Cannot call command "greet" of module "slb": unknown module, did you mean "sla"',
        remoteName: null,
        remoteStack: null,
      },
    });
    const late = await failure("--timeout", "100ms", "sla", "never");
    assert.deepEqual([late.code, late.error.code, late.error.name], [3, "TIMEOUT", "CallTimeoutError"]);
  }));

test("brokkr call ends with exit code 5 when its broker is killed, and 130 when it is interrupted", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(undefined, { env: { BROKKR_LOG: "debug" } });
    const interrupted = sandbox.start(["call", "sla", "never", "--timeout", "30s"]);
    const orphaned = sandbox.start(["call", "sla", "never", "--timeout", "30s"]);
    await broker.printed("stderr", "Executing command [never]", 2);
    interrupted.kill("SIGINT");
    assert.equal((await interrupted.ended).code, 130);
    broker.kill("SIGKILL");
    const { code, stderr } = await orphaned.ended;
    assert.equal(code, 5);
    assert.match(stderr, /^Cannot call command "never" of module "sla": .*\n$/);
  }));

test("brokkr call --stream prints an item a line, and an error in the middle after those before it", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const whole = await sandbox.run(["call", "--stream", "sla", "count", "2"]);
    assert.deepEqual(whole, { code: 0, signal: null, stdout: '{"number":1}\n{"number":2}\n', stderr: "" });
    const failed = await sandbox.run(["call", "--stream", "sla", "count", "3"]);
    assert.deepEqual([failed.code, failed.stdout], [1, '{"number":1}\n{"number":2}\n{"number":3}\n']);
    assert.match(failed.stderr, /^Command "count" of module "sla" failed: RangeError: three is too many; /);
    const nowhere = await sandbox.run(["call", "--stream", "slaa", "count", "2"]);
    assert.equal(nowhere.code, 4);
  }));

test("brokkr call takes a parameter from a file with @, from standard input with -, and says where one has no JSON", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    writeFileSync(join(sandbox.folder, "month.json"), '{ "month": "2021-10" }\n');
    const echo = async (params: readonly string[], input?: string) =>
      await sandbox.run(["call", "sla", "echo", ...params, "--json"], input === undefined ? {} : { input });
    const both = await echo(["@month.json", "-", '"@month.json"', "a@b"], "[1, 2]");
    assert.deepEqual(JSON.parse(both.stdout).result, [{ month: "2021-10" }, [1, 2], "@month.json", "a@b"]);
    const wrong: readonly (readonly [params: readonly string[], input: string, stderr: RegExp])[] = [
      [["-"], "[1,", /^Cannot read a parameter from standard input: it is not JSON: .+\n$/],
      [["-", "-"], "1", /^Cannot read standard input twice: give "-" once\n$/],
      [
        ["@none.json"],
        "",
        /^Cannot read parameter "@none\.json": ENOENT: .*; a string that begins with @ is '"@…"'\n$/,
      ],
      [["@month.txt"], "", /^Cannot read a parameter from "month\.txt": it is not JSON: .+\n$/],
    ];
    writeFileSync(join(sandbox.folder, "month.txt"), "october");
    for (const [params, input, expected] of wrong) {
      const { code, stdout, stderr } = await echo(params, input);
      assert.deepEqual([params, code, stdout], [params, 2, ""]);
      assert.match(stderr, expected);
    }
  }));

test("brokkr call says --stream for a command that yields, and no --stream for one that does not", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const yields = await sandbox.run(["call", "sla", "count", "2"]);
    const what = 'Command "count" of module "sla" yields items: call it with --stream\n';
    assert.deepEqual([yields.code, yields.stdout, yields.stderr], [1, "", what]);
    const plain = await sandbox.run(["call", "sla", "greet", "a", "--stream"]);
    const other = 'Command "greet" of module "sla" yields no items: call it without --stream\n';
    assert.deepEqual([plain.code, plain.stdout, plain.stderr], [1, "", other]);
  }));

test("brokkr call gives a command that tells its progress the time that it needs", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const worked = await sandbox.run(["call", "--timeout", "300ms", "sla", "work", "12"]);
    assert.deepEqual(worked, { code: 0, signal: null, stdout: "done\n", stderr: "" });
  }));

test("brokkr call shows the control characters of a thrown message, on one line, and passes a result on as it is", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const { code, stderr } = await sandbox.run(["call", "sla", "crash", "no\x1b[2J\u202emonth\nbrokkr: all is well"]);
    assert.deepEqual([code, stderr], [
      1,
      'Command "crash" of module "sla" failed: TypeError: no\\u001b[2J\\u202emonth\\nbrokkr: all is well; ' +
      "see the broker's log for its stack, or call with --json\n",
    ]);
    assert.equal((await sandbox.run(["call", "sla", "greet", "\x1b[2J"])).stdout, "Hello \x1b[2J\n");
  }));

test(
  "brokkr call shows the control characters of a result on a terminal",
  { skip: NO_TMUX },
  () =>
    inSandbox(async (sandbox) => {
      await sandbox.broker();
      const words = [...command, "call", "sla", "greet"].map((word) => `'${word}'`).join(" ");
      const env = { XDG_RUNTIME_DIR: sandbox.runtimeFolder };
      const shell = `${words} "$(printf 'a\\033[31m\\033]0;owned\\007b')"; echo ENDED $?; sleep 60`;
      using screen = new Screen(shell, { env, width: 100, height: 12 });
      const text = await screen.shows(/ENDED \d/);
      assert.ok(text.includes("Hello a\\u001b[31m\\u001b]0;owned\\u0007b"), text);
    }),
);
