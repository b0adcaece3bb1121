import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { fixture, inSandbox } from "./cli_process.ts";
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

/** Makes what is in the temporary folder read-only; with `then` before that. */
function readOnly(then = ""): string[] {
  const at = tmpdir();
  const script = `mount --bind ${at} ${at}; mount --bind /tmp /tmp; ${then} for at in ${at} /tmp; do ` +
    'mount -o remount,bind,ro $at; done; exec "$@"';
  return ["unshare", "--mount", "sh", "-ec", script, "sh"];
}

const skip = spawnSync("unshare", ["--mount", "mount", "--bind", "/tmp", "/tmp"]).status === 0
  ? false
  : "needs the right to mount";

test("brokkr run needs no other folder to write in than XDG_RUNTIME_DIR", { skip }, () =>
  inSandbox(async (sandbox) => {
    const within = readOnly(`mount -t tmpfs none ${sandbox.runtimeFolder};`);
    const broker = await sandbox.broker(undefined, { within });
    assert.match(broker.stderr, /The broker is ready after .* \(modules: 2, failed: 0\)/);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

const onlyDeno = "Deno" in globalThis ? skip : "only Deno needs a folder for its processes";

test(
  "a process that Deno can make no socket for names the remedy, and is not started again",
  { skip: onlyDeno },
  () =>
    inSandbox(async (sandbox) => {
      const { stderr } = await sandbox.run(["serve", fixture("broker/sla.js")], {
        within: readOnly(),
        input: '{"jsonrpc":"2.0","id":1,"method":"greet"}\n',
      });
      const told = stderr.split("\n").filter((line) => line.includes("no temporary folder can be written in (EROFS)"));
      assert.equal(told.length, 2, stderr);
      assert.match(
        told[1] ?? "",
        /sla will not be started again: .*, set XDG_RUNTIME_DIR or TMPDIR to a folder of this user/,
      );
    }),
);
