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

test("brokkr logs -n prints the last events that fit, and takes levels in any case and as warn", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    await sandbox.run(["call", "sla", "crash", "first"]);
    await sandbox.run(["call", "sla", "gret"]);
    await broker.printed("stderr", "Received unknown command [gret]");
    const all = broker.stderr.trimEnd().split("\n");
    const { code, stdout, stderr } = await sandbox.run(["logs", "-n", "2"]);
    assert.deepEqual([code, stderr, stdout.trimEnd().split("\n")], [0, "", all.slice(-2)]);
    // The last one of the module, however much others have logged since.
    const ready = await sandbox.run(["logs", "-n1", "--module", "Livestatus", "--event", "process.ready"]);
    assert.match(ready.stdout, /^.* Livestatus is ready .*\n$/);
    for (const level of ["warn", "WARNING", "Warn"]) {
      const warned = await sandbox.run(["logs", "--last=1", "--level", level]);
      assert.match(warned.stdout, /ERROR.*gret.*\n$/, level);
    }
    const follows = sandbox.start(["logs", "-f", "-n", "1"]);
    await follows.printed("stdout", "gret");
    assert.equal(follows.stdout.trimEnd().split("\n").length, 1);
    assert.match(
      (await sandbox.run(["logs", "-n", "0"])).stderr,
      /^Error: COUNT must be a whole number above 0, and it is "0"/,
    );
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
