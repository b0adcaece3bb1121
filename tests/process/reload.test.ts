import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { isAlive, TestBroker } from "./broker_of.ts";

const PATIENT = { timeoutMs: 60_000 };

test("reload() of a module leaves no call behind and no moment without a process", { timeout: 90_000 }, async () => {
  const t = await TestBroker.start();
  try {
    const old = await t.pidOf("sla");
    const pids = new Set<unknown>();
    let calls = 0;
    let isOver = false;
    const caller = (async () => {
      while (!isOver) {
        pids.add(await t.broker.call("sla", "pid", [], { timeoutMs: 60_000 }));
        calls++;
      }
    })();
    const running = t.broker.call("sla", "wait", [500], PATIENT);
    const states: unknown[] = [];
    const watched = (async () => {
      while (!isOver) states.push((await t.broker.status()).modules[1]?.state);
    })();
    await t.broker.reload("sla");
    isOver = true;
    await Promise.all([caller, watched]);
    assert.equal(await running, "waited", "it runs to its end in the old process");
    const fresh = await t.pidOf("sla");
    assert.notEqual(fresh, old);
    assert.deepEqual([...pids].filter((pid) => pid !== old && pid !== fresh), []);
    assert.ok(pids.has(old) && calls > 0);
    assert.deepEqual(states.filter((state) => state !== "ready"), []);
    assert.equal(await isAlive(old), false);
    const [replaced] = t.lines(/^process\.replaced$/);
    assert.match(replaced ?? "", new RegExp(`sla was replaced in \\d+\\.\\d{3}s \\(pid ${fresh} after pid ${old}\\)$`));
    assert.equal((await t.broker.status()).modules[1]?.calls.error, 0);
  } finally {
    await t.broker.stop();
  }
});

test("reload() replaces every module, workers included, one after the other", { timeout: 90_000 }, async () => {
  const t = await TestBroker.start();
  try {
    const names = ["Livestatus", "Livestatus-1", "Livestatus-2", "sla", "WebUI"];
    const before = await Promise.all(names.map((name) => t.pidOf(name)));
    await t.broker.reload();
    const after = await Promise.all(names.map((name) => t.pidOf(name)));
    for (const pid of before) assert.equal(after.includes(pid) || await isAlive(pid), false, String(pid));
    const order = t.records.filter(({ event }) => event === "process.replaced").map(({ module }) => module);
    assert.deepEqual(order, ["Livestatus", "sla", "WebUI"]);
  } finally {
    await t.broker.stop();
  }
});

test("a process that holds too much memory gets a successor, between calls", {
  timeout: 90_000,
  skip: process.platform === "linux" ? false : "needs private memory",
}, async () => {
  const memory = { warnBytes: 200 * 1024 ** 2, recycleBytes: 250 * 1024 ** 2, checkMs: 200 };
  const broker = await TestBroker.start({ settings: { sla: { memory } } });
  try {
    const old = await broker.pidOf("sla");
    await broker.broker.call("sla", "hold", [300], PATIENT);
    await broker.until(() => broker.lines(/^process\.replaced$/).length === 1);
    assert.notEqual(await broker.broker.call("sla", "pid", [], PATIENT), old);
    const [warning] = broker.lines(/^process\.memory$/);
    assert.match(warning ?? "", new RegExp(`sla holds \\d+\\.\\d MiB, more than 200\\.0 MiB \\(pid ${old}\\)$`));
    const [replacing] = broker.lines(/^process\.replacing$/);
    assert.match(replacing ?? "", /it holds \d+\.\d MiB, more than 250\.0 MiB$/);
  } finally {
    await broker.broker.stop();
  }
});
