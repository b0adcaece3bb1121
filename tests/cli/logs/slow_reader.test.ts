import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ControlClient } from "../../../src/core/control/client.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { fixture, inSandbox } from "../cli_process.ts";

/** What a reader may be behind, and what is on its way to it. */
const ROUNDS = 13;
const RECORDS = 1_000;

const CUT_OFF =
  /^Cannot follow the broker any further: the reader is too slow: (\d+) records were lost, read faster, or ask for less with --level or --event\n$/;

test("brokkr logs -f that does not read is cut off and says so, and nobody else loses a line or waits", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(["run", fixture("talker/brokkr.json")]);
    const [slow, quick] = [sandbox.start(["logs", "-f"]), sandbox.start(["logs", "-f"])];
    const client = await ControlClient.connect(await detectRuntime(), "talking", join(sandbox.sockets, "talking.sock"));
    for (let round = 1; !(slow.stdout.includes("hello") && quick.stdout.includes("hello")); round++) {
      await client.call("talker", "say", [`hello ${round}`, 1], {});
    }
    slow.kill("SIGSTOP");
    for (let round = 1; round <= ROUNDS; round++) {
      await client.call("talker", "say", [`round ${round}.`, RECORDS], {});
      await quick.printed("stdout", `round ${round}.`, RECORDS);
    }
    slow.kill("SIGCONT");
    const { code, stdout, stderr } = await slow.ended;
    const [, lost] = CUT_OFF.exec(stderr) ?? [];
    assert.deepEqual([code, lost === undefined], [1, false], stderr);
    assert.ok(Number(lost) > 0 && stdout.includes("round 1.") && !stdout.includes(`round ${ROUNDS}.`));
    assert.equal(quick.child.exitCode, null);
    await client.call("talker", "say", ["good bye", 1], {});
    await quick.printed("stdout", "good bye");
    client.close();
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));
