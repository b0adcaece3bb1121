import { CallTimeoutError, RemoteError, withThread } from "brokkr";
import assert from "node:assert/strict";
import process from "node:process";
import { mock, test } from "node:test";
import { livestatus, sla } from "../fixtures/broker/modules.ts";
import { isAlive, rejection, TestBroker } from "./broker_of.ts";

test("call() crosses every pair: broker to module, module to worker, module to module, module to broker", async () => {
  const commands = { hello: (name: string) => `hello ${name}` };
  const t = await TestBroker.start({ commands });
  try {
    const info = await t.broker.call(livestatus, "get_module_info");
    assert.equal(info.name, "Livestatus");
    assert.ok(info.worker === 1 || info.worker === 2);
    assert.deepEqual(await t.broker.call(sla, "get_report", ["2021-7"]), { day: 7 });
    assert.deepEqual(await t.broker.call("Livestatus", "ask", ["sla", "get_report", ["2021-8"]]), { day: 8 });
    assert.equal(await t.broker.call("Livestatus", "ask", ["broker-master", "hello", ["you"]]), "hello you");
    assert.deepEqual(await t.broker.call("Livestatus", "worker_ask", ["sla", "get_report", ["2021-9"]]), { day: 9 });
    assert.equal(
      await t.broker.call("Livestatus", "worker_ask", ["broker-master", "hello", ["worker"]]),
      "hello worker",
    );
    assert.equal(await t.broker.call("Livestatus", "worker_ask", ["Livestatus", "who_called", []]), "Livestatus-1");
    assert.equal(await t.broker.call("Livestatus", "who_called"), "broker-master");
  } finally {
    await t.broker.stop();
  }
});

test("call() takes values unchanged through the channel", async () => {
  const t = await TestBroker.start();
  try {
    for (const value of [null, 0, "é\u{1F600}", [1, [2]], { a: { b: [] } }, "", false, { ["__proto__"]: 1 }]) {
      assert.deepEqual(await t.broker.call("sla", "echo", [value]), value);
    }
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index);
    const back = await t.broker.call("sla", "echo", [{ nested: [bytes] }]);
    assert.deepEqual(back, { nested: [bytes] });
    assert.equal(await t.broker.call(sla, "nothing"), undefined);
  } finally {
    await t.broker.stop();
  }
});

test("call() times out while the timers of the program are a test's, and after that", async () => {
  const t = await TestBroker.start();
  try {
    mock.timers.enable();
    try {
      const error = await rejection(t.broker.call(sla, "wait", [60_000], { timeoutMs: 50 }));
      assert.ok(error instanceof CallTimeoutError, String(error));
    } finally {
      mock.timers.reset();
    }
    assert.equal((await rejection(t.broker.call(sla, "wait", [60_000], { timeoutMs: 50 }))).code, "TIMEOUT");
  } finally {
    await t.broker.stop();
  }
});

test("retry of a call's options goes over the broker's, in the program and in a module", async () => {
  await using t = await TestBroker.start();
  const once = { timeoutMs: 100, retry: "never" } as const;
  const timeout = await rejection(t.broker.call(sla, "wait", [60_000], once));
  assert.ok(timeout instanceof CallTimeoutError);
  assert.equal(timeout.attempts, 1);
  const asked = await rejection(t.broker.call("Livestatus", "ask", ["sla", "wait", [60_000], once]));
  assert.ok(asked instanceof RemoteError);
  assert.match(asked.message, /: timeout \(0\.1s\): module "sla" is (?:slow|blocked), 1 attempt$/);
  assert.deepEqual(t.lines(/call\.retry/), []);
});

test("an option that a call has not is refused with the nearest name, in the program and in a module", async () => {
  await using t = await TestBroker.start();
  const message = 'Cannot call command "size": unknown key "timeout": did you mean "timeoutMs"';
  const settings: object = { timeout: 5_000 };
  await assert.rejects(t.broker.call(sla, "size", [], settings), new TypeError(message));
  await assert.rejects(t.broker.stream("sla", "size", [], settings).next(), new TypeError(message));
  const asked = await rejection(t.broker.call("Livestatus", "ask", ["sla", "size", [], settings]));
  assert.deepEqual([asked.message, asked instanceof RemoteError && asked.remoteName], [message, "TypeError"]);
});

test("10,000 concurrent calls each get their own answer", { timeout: 60_000 }, async () => {
  const t = await TestBroker.start({ logLevel: "warning" });
  try {
    const calls = Array.from(
      { length: 10_000 },
      (_, index) => t.broker.call(sla, "echo", [{ index }], { timeoutMs: 30_000 }),
    );
    const answers = await Promise.all(calls);
    answers.forEach((answer, index) => assert.deepEqual(answer, { index }));
    const { modules } = await t.broker.status();
    const counts = modules.find(({ name }) => name === "sla")?.calls;
    assert.equal(counts?.ok, 10_000);
    assert.deepEqual({ ...counts, ok: 0 }, {
      ok: 0,
      error: 0,
      timeout: 0,
      retried: 0,
      late: 0,
      duplicate: 0,
      unknown: 0,
      cancelled: 0,
    });
  } finally {
    await t.broker.stop();
  }
});

test("a first timeout is retried once and the command runs once", async () => {
  const t = await TestBroker.start();
  try {
    assert.equal(await t.broker.call(sla, "count_up", [450], { timeoutMs: 300 }), 1);
    const [retry] = t.lines(/^call\.retry$/);
    assert.equal(
      retry,
      `WARNING : [ broker-master ] [ sla ] [ COMMAND CALL ] [ PID:${
        t.records[0]?.pid
      } ] [ MainThread ] The command call ` +
        "[count_up] for module sla was sent but the call timed out (0.3s). We will retry one time.",
    );
    const { modules } = await t.broker.status();
    assert.equal(modules[1]?.calls.retried, 1);
    assert.equal(modules[1]?.calls.ok, 0);
  } finally {
    await t.broker.stop();
  }
});

test("a second timeout rejects, and the late answer reaches nobody", async () => {
  const t = await TestBroker.start();
  try {
    const error = await rejection(t.broker.call(sla, "wait", [600], { timeoutMs: 200 }));
    assert.ok(error instanceof CallTimeoutError);
    assert.deepEqual(
      [error.code, error.timeoutMs, error.attempts, error.sent, error.peer],
      ["TIMEOUT", 200, 2, true, "slow"],
    );
    assert.equal(await t.broker.call(sla, "wait", [450]), "waited");
    assert.equal(t.lines(/^call\.timeout$/).length, 1);
    assert.deepEqual(t.lines(/^call\.another-answer$/).map((line) => line.slice(line.indexOf("The command"))), [
      "The command call [wait] was sent but another answer was received. Retrying.",
    ]);
    const { modules } = await t.broker.status();
    assert.deepEqual([modules[1]?.calls.timeout, modules[1]?.calls.late, modules[1]?.calls.ok], [1, 1, 1]);
  } finally {
    await t.broker.stop();
  }
});

test("a process that is blocked is told from a slow one", { timeout: 30_000 }, async () => {
  const t = await TestBroker.start({ settings: { sla: { restart: "never" } } });
  try {
    const error = await rejection(t.broker.call(sla, "spin", [], { timeoutMs: 200 }));
    assert.ok(error instanceof CallTimeoutError);
    assert.equal(error.peer, "blocked");
    const texts = t.lines(/^call\.(retry|timeout|silence)$/).map((line) =>
      line.slice(line.indexOf("MainThread ] ") + 13)
    );
    assert.deepEqual(texts.map((text) => text.replace(/\d+\.\d{3}s ago/, "TIME ago")), [
      "The command call [spin] for module sla was sent but the call timed out (0.2s). We will retry one time.",
      "sla did not answer attempt 1 of [spin] in time: it is blocked (gives no sign of life; last heard of TIME ago)",
      "Failed to send command call [spin] for module sla because of timeout (0.2s).",
      "sla did not answer attempt 2 of [spin] in time: it is blocked (gives no sign of life; last heard of TIME ago)",
    ]);
    const { modules } = await t.broker.status();
    assert.deepEqual([modules[1]?.calls.timeout, modules[1]?.calls.ok, modules[1]?.state], [1, 0, "ready"]);
  } finally {
    const pid = await t.pidOf("sla");
    process.kill(pid, "SIGKILL");
    await t.broker.stop();
    assert.equal(await isAlive(pid), false);
  }
});

test("withThread() names the context in the lines, across await", async () => {
  const t = await TestBroker.start();
  try {
    await withThread("CP Server Thread-46", async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await t.broker.call(sla, "size");
    });
    await t.broker.call(sla, "size");
    const threads = t.records.filter(({ event }) => event === "call.answered").map(({ thread }) => thread);
    assert.deepEqual(threads, ["CP Server Thread-46", "MainThread"]);
  } finally {
    await t.broker.stop();
  }
});

test("call() gets the answer of a command that computes before those behind it run, so that they can still be cancelled", async () => {
  const t = await TestBroker.start();
  try {
    const others = new AbortController();
    const first = t.broker.call(sla, "compute", [50]);
    const behind = Array.from({ length: 19 }, () => t.broker.call(sla, "compute", [50], { signal: others.signal }));
    const refused = behind.map(rejection);
    assert.equal(await first, 1);
    others.abort();
    await Promise.all(refused);
    const count = await t.broker.call(sla, "compute", [0], { timeoutMs: 30_000 });
    assert.ok(count < 20, `${count} of 20 ran`);
  } finally {
    await t.broker.stop();
  }
});
