import assert from "node:assert/strict";
import { test } from "node:test";
import { inSandbox } from "../cli_process.ts";

test("brokkr logs without a file prints what the running broker logged last", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    const { code, stdout, stderr } = await sandbox.run(["logs"]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.equal(stdout, broker.stderr);
    const errors = await sandbox.run(["logs", "--event", "command.error", "--json"]);
    const records = errors.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(records.map(({ event, module, fields }) => [event, module, fields.message]), [
      ["command.error", "sla", "no such month"],
    ]);
  }));

test("brokkr logs -f prints the lines of the running broker as they come, DEBUG ones too where they are asked for", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const warnings = sandbox.start(["logs", "-f", "--level", "warning"]);
    const all = sandbox.start(["logs", "-f", "--level", "debug", "--command", "greet"]);
    // Both are there when they have seen something that was logged after they came.
    for (let round = 1; !all.stdout.includes("Executing command [greet]"); round++) {
      await sandbox.run(["call", "sla", "greet", `round ${round}`]);
    }
    await sandbox.run(["call", "sla", "gret"]);
    await warnings.printed("stdout", "Received unknown command [gret] to execute !");
    assert.doesNotMatch(warnings.stdout, /INFO|DEBUG/);
    await all.printed("stdout", "was executed by the module sla in");
    warnings.kill("SIGINT");
    assert.deepEqual((await warnings.ended).code, 130);
    await sandbox.run(["stop"]);
    const { code, stderr } = await all.ended;
    assert.equal(code, 5);
    assert.match(stderr, /^Cannot reach broker "cli-test": .*, see its log$/m);
  }));
