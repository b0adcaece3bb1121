import { ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { TestBroker } from "./broker_of.ts";

const WATCHFUL = fileURLToPath(new URL("../fixtures/broker/watchful.ts", import.meta.url));
const QUICK = { intervalMs: 200, timeoutMs: 600 };

test("a stopped process is blocked until it is continued, and lives on", { timeout: 60_000 }, async () => {
  const t = await TestBroker.start({ settings: { sla: { heartbeat: QUICK } } });
  try {
    const pid = await t.pidOf("sla");
    process.kill(pid, "SIGSTOP");
    await t.until(() => t.lines(/^process\.blocked$/).length === 1);
    assert.match(
      t.lines(/^process\.blocked$/)[0] ?? "",
      /sla is blocked: no sign of life for \d+\.\d{3}s \(pid \d+\)$/,
    );
    assert.equal((await t.broker.status()).modules[1]?.blocked, true);
    process.kill(pid, "SIGCONT");
    await t.until(() => t.lines(/^process\.unblocked$/).length === 1);
    assert.equal(await t.broker.call("sla", "pid", [], { timeoutMs: 20_000 }), pid);
    assert.equal((await t.broker.status()).modules[1]?.restarts, 0);
  } finally {
    await t.broker.stop();
  }
});

test(
  "with onBlocked restart a process that is busy for good is replaced by its restart",
  { timeout: 60_000 },
  async () => {
    const t = await TestBroker.start({ settings: { sla: { heartbeat: { ...QUICK, onBlocked: "restart" } } } });
    try {
      const pid = await t.pidOf("sla");
      await assert.rejects(t.broker.call("sla", "spin", [], { timeoutMs: 40_000 }), ProcessGoneError);
      assert.notEqual(await t.broker.call("sla", "pid", [], { timeoutMs: 20_000 }), pid);
      const [killed] = t.lines(/^process\.killed$/);
      assert.match(killed ?? "", /sla was sent SIGKILL \(pid \d+\): process gave no sign of life for 0\.6s$/);
    } finally {
      await t.broker.stop();
    }
  },
);

test("a broker that was stopped for longer than its processes may be silent kills none of them", {
  timeout: 60_000,
}, async () => {
  const broker = spawn(process.execPath, [...RUN_FLAGS, WATCHFUL], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid } = broker;
  assert.ok(pid !== undefined);
  try {
    assert.equal(String((await once(broker.stdout, "data"))[0]), "ready\n");
    process.kill(pid, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    process.kill(pid, "SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    process.kill(pid, "SIGUSR2");
    const [line] = await once(broker.stdout, "data");
    assert.deepEqual(JSON.parse(String(line)), [
      ["Livestatus", "ready", 0],
      ["Livestatus-1", "ready", 0],
      ["Livestatus-2", "ready", 0],
      ["sla", "ready", 0],
      ["WebUI", "ready", 0],
    ]);
    await once(broker, "close");
  } finally {
    if (broker.exitCode === null && broker.signalCode === null) process.kill(pid, "SIGKILL");
  }
});
