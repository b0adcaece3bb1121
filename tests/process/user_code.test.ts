import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";

const PROGRAM = fileURLToPath(new URL("../fixtures/broker/throwing.ts", import.meta.url));
const OPTIONS = { timeout: 30_000 };

async function run(mode: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...RUN_FLAGS, PROGRAM, mode], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, stdout, stderr };
}

test(
  "what the program's code throws inside brokkr is an uncaught error of its process: nobody else ends or loses an answer",
  OPTIONS,
  async () => {
    const { code, stdout, stderr } = await run("caught");
    assert.equal(code, 0, stderr);
    const [four, five] = [4, 5].map((count) => Array.from({ length: count }, () => "Error: mine"));
    const answers = [0, 1, 2, 3].flatMap((call) => ["told", call]);
    assert.deepEqual(JSON.parse(stdout), {
      results: [...answers, ...answers],
      thrown: [...four ?? [], ...four ?? []],
      relayed: [["told", "told", "told", "told", "told"], five],
      proxied: "RemoteError: mine",
      aborted: [0, 1, 2, 3].flatMap((
        call,
      ) => ['CallCancelledError: Cannot call command "abort" of module "callee": cancelled', call]),
      heard: four,
      isSame: true,
    });
  },
);

test(
  "onProgress that throws ends a program that does not look at uncaught errors, with its own stack",
  OPTIONS,
  async () => {
    const { code, stderr } = await run("fatal");
    assert.equal(code, 1);
    assert.match(stderr, /[Ee]rror: mine/);
    assert.match(stderr, /throwing\.[jt]s/);
  },
);

test("onProgress that throws ends the module whose code it is, and its caller learns of it", OPTIONS, async () => {
  const { code, stdout } = await run("fatal in the module");
  assert.equal(code, 0);
  assert.match(stdout, /ProcessGoneError: .*"caller".*process exited with code 1/);
});

test(
  "a log function and listeners that throw are uncaught errors of the broker's process, and calls go on",
  OPTIONS,
  async () => {
    const { code, stdout, stderr } = await run("log, caught");
    assert.equal(code, 0, stderr);
    const thrown = ["Error: later", "Error: later", "Error: mine", "Error: mine", "Error: mine", "Error: mine"];
    assert.deepEqual(JSON.parse(stdout), { results: [1, 2], thrown });
    const fatal = await run("log");
    assert.equal(fatal.code, 1);
    assert.match(fatal.stderr, /[Ee]rror: mine/);
  },
);
