import { ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { frame, header } from "../core/frames.ts";
import { VERSION } from "../../src/core/version.ts";
import { isAlive, rejection } from "./broker_of.ts";
import { bytesOfFrame, RogueBroker } from "./rogue_of.ts";

const ANSWERS = 3;
const RECORDS = 7;

/** The process is gone with the call that it answered so, and the next one answers. */
async function assertReplaced(
  r: RogueBroker,
  error: unknown,
  expected: { readonly command: string; readonly end: string; readonly exit: string; readonly why: string },
): Promise<void> {
  const { command, end, exit, why } = expected;
  assert.ok(error instanceof ProcessGoneError, String(error));
  assert.equal(error.reason, end);
  assert.equal(await r.call("echo", ["next"]), "next");
  assert.deepEqual(r.texts(/^call\.error$/), [
    `Failed to send command call [${command}] for module rogue because of error: ${end}`,
  ]);
  assert.deepEqual(r.texts(/^process\.exited$/), [`rogue ended unexpectedly (pid ${r.pid}, ${exit}): ${why}`]);
  assert.deepEqual(await r.counts(), { error: 1, ok: 1 });
  assert.notEqual(await r.t.pidOf("rogue"), r.pid);
  assert.equal(await isAlive(Number(r.pid)), false);
  await r.nothingLeft();
}

const KILLED = { end: "process was killed by SIGKILL", exit: "exit code none, signal SIGKILL" };

for (
  const [what, bytes, why] of [
    [
      "text on its channel",
      new TextEncoder().encode("Listening on port 80\n"),
      "it does not begin with the bytes 62 6b",
    ],
    ["a frame of 2 GiB", header(ANSWERS, 2 ** 31), "its length is 2147483648 and the limit is 16777216"],
    ["a frame of 0xFFFFFFFF bytes", header(ANSWERS, 0xffffffff), "its length is 4294967295 and the limit is 16777216"],
    [
      "a frame of one byte over the limit",
      header(ANSWERS, 2 ** 24 + 1),
      "its length is 16777217 and the limit is 16777216",
    ],
    ["a frame of 0 bytes", header(ANSWERS, 0), "its length is 0"],
  ] as const
) {
  test(`process that writes ${what} is killed and replaced, and its call is rejected at once`, async () => {
    const r = await RogueBroker.start();
    try {
      const error = await r.rejection("write", [[...bytes]]);
      await assertReplaced(r, error, { ...KILLED, command: "write", why: `Cannot read frame: ${why}` });
    } finally {
      await r.t.broker.stop();
    }
  });
}

test("process that begins a frame and goes silent is killed after 10 s, by half a header and by half a body", {
  timeout: 60_000,
}, async () => {
  const whole = bytesOfFrame(ANSWERS, "[[1],0,0,[1]]");
  const brokers = await Promise.all([5, 8, 12].map(async (length) => {
    // The answer to a ping would be taken for the rest of the frame.
    const settings = { rogue: { heartbeat: { intervalMs: 60_000, timeoutMs: 120_000 } } };
    return { length, r: await RogueBroker.start({ name: `broker-${length}`, settings }) };
  }));
  try {
    await Promise.all(brokers.map(async ({ length, r }) => {
      const error = await r.rejection("write", [whole.slice(0, length)], 40_000);
      assert.ok(error instanceof ProcessGoneError, String(error));
      assert.equal(error.signal, "SIGKILL");
      assert.equal(await r.call("echo", [length]), length);
      assert.deepEqual(r.texts(/^process\.exited$/), [
        `rogue ended unexpectedly (pid ${r.pid}, ${KILLED.exit}): a frame was begun and not ended in 10s`,
      ]);
      assert.deepEqual(await r.counts(), { error: 1, ok: 1 });
      assert.equal(await isAlive(Number(r.pid)), false);
    }));
  } finally {
    await Promise.all(brokers.map(({ r }) => r.t.broker.stop()));
  }
});

test("process that ends inside a frame is gone with its code, and is replaced", async () => {
  const r = await RogueBroker.start();
  try {
    const error = await r.rejection("last", [bytesOfFrame(ANSWERS, "[[1],0,0,[1]]").slice(0, 12)]);
    const end = "process exited with code 3";
    await assertReplaced(r, error, { command: "last", end, exit: "exit code 3, signal none", why: end });
  } finally {
    await r.t.broker.stop();
  }
});

test("body that is not JSON is refused alone: the line shows it, and the call gets the answer after it", async () => {
  const r = await RogueBroker.start();
  try {
    const bad = "{\n\u001b[31m not JSON, and longer than 32 bytes";
    const params = [[[ANSWERS, bad], [ANSWERS, '[[ID],0,0,["mine"]]']]];
    assert.equal(await r.call("send", params), "mine");
    assert.deepEqual(r.texts(/^process\.dropped$/), [
      "rogue: dropped 1 frame (the body is not valid JSON: {\\x0a\\x1b[31m not JSON, and longer tha)",
    ]);
    assert.deepEqual(await r.counts(), { ok: 1 });
    assert.equal(await r.t.pidOf("rogue"), r.pid);
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

test("process that sends three bad bodies in a row is killed and replaced", async () => {
  const r = await RogueBroker.start();
  try {
    const error = await r.rejection("send", [[[ANSWERS, "no"], [ANSWERS, "[1]"], [ANSWERS, '{"__proto__":1}']]]);
    await assertReplaced(r, error, { ...KILLED, command: "send", why: "3 frames in a row were refused" });
    assert.deepEqual(r.texts(/^process\.dropped$/), [
      "rogue: dropped 1 frame (the body is not valid JSON: no)",
      "rogue: dropped 1 frame (answers frame: columns are missing or differ in length: [1])",
      'rogue: dropped 1 frame (the body is not a list of columns: {"__proto__":1})',
    ]);
  } finally {
    await r.t.broker.stop();
  }
});

test("process that goes on with a stream without credit is killed and replaced, and the reader learns it", async () => {
  const r = await RogueBroker.start();
  try {
    const ids = Array.from({ length: 5_000 }, () => "ID").join();
    const items = `[[${ids}],0,[${ids.replaceAll("ID", "4")}],[${ids.replaceAll("ID", "7")}]]`;
    const stream = r.t.broker.stream("rogue", "send", [[[ANSWERS, items]]], { timeoutMs: 20_000 });
    const error = await rejection((async () => {
      for await (const item of stream) {
        assert.equal(item, 7);
        await r.t.until(() => r.texts(/^process\.exited$/).length > 0);
      }
    })());
    const why = "the stream of [send] went on without credit";
    await assertReplaced(r, error, { ...KILLED, command: "send", why });
  } finally {
    await r.t.broker.stop();
  }
});

test("frame of an unknown type is ignored, named once, and the process lives", async () => {
  const r = await RogueBroker.start();
  try {
    const params = [[[77, "future"], [77, "more"], [ANSWERS, '[[ID],0,0,["mine"]]']]];
    assert.equal(await r.call("send", params), "mine");
    assert.equal(await r.call("send", params), "mine");
    assert.deepEqual(r.texts(/^process\.dropped$/), [
      "rogue: dropped 1 frame (unknown frame type 77, ignored from now on: future)",
    ]);
    assert.deepEqual(await r.counts(), { ok: 2 });
    assert.equal(await r.t.pidOf("rogue"), r.pid);
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});

for (
  const [what, first, why] of [
    ["text", "Listening on port 80\n", "Cannot read frame: it does not begin with the bytes 62 6b"],
    ["a frame of 2 GiB", header(1, 2 ** 31), "Cannot read frame: its length is 2147483648 and the limit is 16777216"],
    [
      "the hello of another protocol",
      frame(1, '{"protocol":2,"version":"9.9.9"}'),
      `Cannot talk to the peer: it speaks protocol 2 (brokkr 9.9.9) and this is protocol 1 (brokkr ${VERSION})`,
    ],
    ["a hello that is none", frame(1, "[]"), "Cannot talk to the peer: its first frame is not a hello"],
  ] as const
) {
  test(`process whose first word is ${what} never becomes ready, and the line says why`, async () => {
    const bytes = typeof first === "string" ? new TextEncoder().encode(first) : first;
    process.env["ROGUE_FIRST"] = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const r = await RogueBroker.start({ settings: { rogue: { restart: "never" } } }).finally(() => {
      delete process.env["ROGUE_FIRST"];
    });
    try {
      const error = await r.rejection("echo", [1]);
      assert.ok(error instanceof ProcessGoneError, String(error));
      assert.deepEqual([error.reason, error.signal], ["process did not start", "SIGKILL"]);
      const [exited = ""] = r.texts(/^process\.exited$/);
      assert.equal(exited.replace(/pid \d+/, "pid N"), `rogue ended unexpectedly (pid N, ${KILLED.exit}): ${why}`);
      assert.deepEqual(r.texts(/^process\.failed$/), [
        `rogue will not be started again: ${why}; what to do: mend the cause, then run "brokkr restart rogue"`,
      ]);
      assert.deepEqual(await r.counts(), { error: 1 });
      assert.equal(await isAlive(Number(/pid (\d+)/.exec(exited)?.[1])), false);
    } finally {
      await r.t.broker.stop();
    }
  });
}

test("process that reports in another's name has its own in the log, and reports nothing of the broker", async () => {
  const r = await RogueBroker.start();
  try {
    const head = { time: 1e300, pid: 1, thread: "MainThread" };
    const info = { ...head, event: "module.info", module: "sla", fields: { text: "all is well" } };
    const failed = { event: "process.failed", fields: { process: "sla", reason: "no", remedy: "none" } };
    const records = [[info], [{ ...head, module: "broker", ...failed }]].map((list) => [RECORDS, JSON.stringify(list)]);
    const before = Date.now();
    assert.equal(await r.call("send", [[...records, [ANSWERS, '[[ID],0,0,["mine"]]']]]), "mine");
    const [said, ...others] = r.t.records.filter(({ event }) => event === "module.info");
    assert.deepEqual([said?.module, said?.pid, others], ["rogue", r.pid, []]);
    assert.ok(said !== undefined && said.time >= before && said.time <= Date.now());
    assert.deepEqual(r.texts(/^process\.failed$/), []);
    assert.deepEqual(r.texts(/^process\.dropped$/), [
      "rogue: dropped 1 frame (event process.failed is of a process that is no worker of rogue: " +
      '[{"time":1e+300,"pid":1,"thread")',
    ]);
    await r.nothingLeft();
  } finally {
    await r.t.broker.stop();
  }
});
