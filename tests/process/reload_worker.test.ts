import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { TestBroker } from "./broker_of.ts";

test(
  "restart() of a worker settles where a reload replaces the process that was asked",
  { timeout: 60_000 },
  async () => {
    const t = await TestBroker.start({ settings: { Livestatus: { drainMs: 200, killMs: 200 } } });
    try {
      const pid = await t.pidOf("Livestatus");
      const reloaded = t.broker.reload("Livestatus");
      await t.until(() => t.lines(/^process.replacing$/).length > 0);
      process.kill(pid, "SIGSTOP");
      const restarted = t.broker.restart("Livestatus-1");
      await Promise.all([reloaded, restarted]);
      const { modules } = await t.broker.status();
      assert.deepEqual(modules[0]?.workers.map(({ state }) => state), ["ready", "ready"]);
      assert.notEqual(modules[0]?.pid, pid);
    } finally {
      await t.broker.stop();
    }
  },
);

test(
  "an event that somebody listens to at run time comes from workers that already run",
  { timeout: 60_000 },
  async () => {
    const t = await TestBroker.start({ logLevel: "info" });
    try {
      await t.broker.call("Livestatus", "ask_worker", ["whoami"]);
      const heard: string[] = [];
      const stop = t.broker.on("command.executing", ({ module, fields }) => heard.push(`${module} ${fields.command}`));
      await t.until(async () => {
        await t.broker.call("Livestatus", "ask_worker", ["pid"]);
        return heard.some((line) => /^Livestatus-\d pid$/.test(line));
      });
      stop();
      assert.ok(!t.records.some(({ event }) => event === "command.executing"), "the level is not that of the listener");
    } finally {
      await t.broker.stop();
    }
  },
);
