import assert from "node:assert/strict";
import { test } from "node:test";
import { inSandbox } from "./cli_process.ts";
import { gone, pidsOf, statusOf } from "./shown_status.ts";

test("brokkr run replaces the socket of a broker that was killed, and its processes are gone", () =>
  inSandbox(async (sandbox) => {
    const killed = await sandbox.broker();
    const pids = pidsOf(await statusOf(sandbox));
    assert.deepEqual(sandbox.liveFiles(), ["cli-test.sock", "cli-test….tree"]);
    killed.kill("SIGKILL");
    assert.equal((await killed.ended).signal, "SIGKILL");
    // Its list of processes stays until its guard has ended them, which may be by now.
    assert.deepEqual(sandbox.liveFiles().filter((name) => name !== "cli-test….tree"), ["cli-test.sock"]);
    assert.equal((await sandbox.run(["status"])).code, 5);
    const broker = await sandbox.broker();
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
    assert.equal((await statusOf(sandbox)).broker.pid, broker.child.pid);
    await gone(pids);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
    assert.deepEqual(sandbox.liveFiles(), []);
  }));

test("brokkr run drains at SIGINT, exits 0 and leaves no process", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(undefined, { env: { BROKKR_LOG: "debug" } });
    const pids = pidsOf(await statusOf(sandbox));
    const call = sandbox.start(["call", "sla", "slow", "300"]);
    await broker.printed("stderr", "Executing command [slow]");
    broker.kill("SIGINT");
    const { code, stderr } = await broker.ended;
    assert.equal(code, 0);
    assert.match(stderr, /\[ BROKER \].* The broker stopped in \d+\.\d{3}s\n$/);
    const drained = await call.ended;
    assert.equal(drained.stdout, "answered\n", drained.stderr);
    await gone(pids);
  }));

test("brokkr run kills what does not drain at a second signal, and exits 0", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(undefined, { env: { BROKKR_LOG: "debug" } });
    const pids = pidsOf(await statusOf(sandbox));
    const call = sandbox.start(["call", "sla", "never", "--timeout", "60s"]);
    await broker.printed("stderr", "Executing command [never]");
    broker.kill("SIGTERM");
    await broker.printed("stderr", "sla is stopping");
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
    assert.equal((await call.ended).code, 5);
    await gone(pids);
  }));
