// Brokers that the tests of a runtime's own runner start without a program.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";

const FILE = fileURLToPath(new URL("../fixtures/start/in_runner_test.ts", import.meta.url)).replace(
  /\.ts$/,
  import.meta.url.endsWith(".ts") ? ".ts" : ".js",
);
const RUNTIME = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const DEADLINE = { timeout: 60_000 };

function why(runner: string): string {
  return `Error: Cannot start broker "first": it runs in ${runner}, which a new process would run again, ` +
    'set "program" to a file that only starts the broker, or "inProcess" to true to run the modules in this process, ' +
    "and 0 lines";
}

const RUNNERS = {
  node: { args: ["--test"], said: "hello" },
  deno: { args: ["test", "--no-check", ...RUN_FLAGS.slice(1)], said: why("deno test") },
  bun: { args: ["test"], said: why("bun test") },
};

const works = RUNTIME === "node"
  ? "works, as a new process runs the test's file"
  : "is refused before anything is started";
test(`Broker.start without a program in the runner of ${RUNTIME} ${works}`, DEADLINE, async () => {
  const { args, said } = RUNNERS[RUNTIME];
  // This suite's own runner must not be that of the file.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const output = await new Promise<string>((resolve) => {
    const options = { env: { ...env, NO_COLOR: "1" }, timeout: 45_000 };
    execFile(process.execPath, [...args, FILE], options, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  assert.equal(/said: (.*)/.exec(output)?.[1], said, output);
});
