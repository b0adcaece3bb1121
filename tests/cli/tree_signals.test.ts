import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type CliProcess, inSandbox, type Sandbox } from "./cli_process.ts";
import { gone, pidsOf, statusOf } from "./shown_status.ts";

const MODULE = `export default {
  name: "sla",
  commands: (ctx) => ({
    slow: async (ms) => { await new Promise((resolve) => setTimeout(resolve, ms)); return "answered"; },
    work: (ms) => ctx.workers.call("slow", [ms]),
    block: (ms) => { console.log("blocks"); const end = Date.now() + ms; while (Date.now() < end); return "answered"; },
  }),
  workers: { count: 1, commands: {
    slow: async (ms) => { await new Promise((resolve) => setTimeout(resolve, ms)); return "worked"; },
  } },
  stop() { console.log("the stop hook ran"); },
};
`;

/** A broker of a module with a worker, and of a program of another language. */
async function started(
  sandbox: Sandbox,
): Promise<{ broker: CliProcess; pids: number[]; pid: (name: string) => number }> {
  writeFileSync(join(sandbox.folder, "sla.js"), MODULE);
  const modules = { sla: { path: "sla.js" }, other: { command: ["cat"], restart: "always" } };
  writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "tree", modules }));
  const broker = await sandbox.broker(["run", "brokkr.json"], { env: { BROKKR_LOG: "debug" } });
  const status = await statusOf(sandbox);
  const all = status.modules.flatMap((module) => [module, ...module.workers]);
  return { broker, pids: pidsOf(status), pid: (name) => all.find((each) => each.name === name)?.pid ?? NaN };
}

/** Sends SIGTERM to "sla" alone, which answers `call`, runs its stop hook and ends, and is started again. */
async function drainsAtSigterm(
  { broker, pid, call }: {
    readonly broker: CliProcess;
    readonly pid: (name: string) => number;
    readonly call: CliProcess;
  },
): Promise<void> {
  process.kill(pid("sla"), "SIGTERM");
  assert.equal((await call.ended).stdout, "answered\n");
  await broker.printed("stderr", "sla is ready", 2);
  assert.match(
    broker.stderr,
    /the stop hook ran[^]*sla ended unexpectedly \(pid \d+, exit code none, signal SIGTERM\)/,
  );
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} to a whole tree of processes drains it, calls and stop hooks included, and nothing is started again`, () =>
    inSandbox(async (sandbox) => {
      const { broker, pid, pids } = await started(sandbox);
      const calls = ["slow", "work"].map((name) => sandbox.start(["call", "sla", name, "500", "--timeout", "30s"]));
      await broker.printed("stderr", "Executing command [slow]", 2);
      for (const name of ["other", "sla-1", "sla"]) process.kill(pid(name), signal);
      broker.kill(signal);
      const { code, stderr } = await broker.ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual((await Promise.all(calls.map(({ ended }) => ended))).map(({ stdout }) => stdout), [
        "answered\n",
        "worked\n",
      ]);
      assert.match(stderr, /sla wrote to stdout .*the stop hook ran/);
      assert.doesNotMatch(stderr, /unexpectedly|started again|generation 2/);
      await gone(pids);
    }));
}

test("SIGTERM to one process drains it, and its restart policy decides", () =>
  inSandbox(async (sandbox) => {
    const { broker, pid } = await started(sandbox);
    const call = sandbox.start(["call", "sla", "slow", "700", "--timeout", "30s"]);
    await broker.printed("stderr", "Executing command [slow]");
    await drainsAtSigterm({ broker, pid, call });
    const workers = (await statusOf(sandbox)).modules[0]?.workers ?? [];
    process.kill(workers[0]?.pid ?? NaN, "SIGTERM");
    await broker.printed("stderr", "sla-1 is ready", 3);
    assert.match(broker.stderr, /sla-1 ended unexpectedly \(pid \d+, exit code none, signal SIGTERM\)/);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

test("a second signal ends a process at once, whatever runs in it", () =>
  inSandbox(async (sandbox) => {
    const { broker, pid } = await started(sandbox);
    const call = sandbox.start(["call", "sla", "slow", "30000", "--timeout", "30s"]);
    await broker.printed("stderr", "Executing command [slow]");
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.kill(pid("sla"), signal);
    assert.equal((await call.ended).code, 5);
    await broker.printed("stderr", "sla is ready", 2);
    assert.match(broker.stderr, /sla ended unexpectedly \(pid \d+, exit code none, signal SIG(TERM|INT)\)/);
    assert.doesNotMatch(broker.stderr, /the stop hook ran/);
  }));

test("SIGTERM to a process whose command blocks it drains it when the command is over", () =>
  inSandbox(async (sandbox) => {
    const { broker, pid } = await started(sandbox);
    const call = sandbox.start(["call", "sla", "block", "700", "--timeout", "30s"]);
    await broker.printed("stderr", "wrote to stdout (pid");
    await drainsAtSigterm({ broker, pid, call });
  }));
