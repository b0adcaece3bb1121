import { CallCancelledError, CallTimeoutError, ProcessGoneError, RemoteError } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { numbers, relay } from "../fixtures/streams/modules.ts";
import { rejection, TestBroker } from "./broker_of.ts";

const PROGRAM = new URL("../fixtures/streams/program.ts", import.meta.url);
const OPTIONS = { timeout: 30_000 };

async function start(): Promise<TestBroker> {
  return await TestBroker.start({ modules: [numbers, relay], program: PROGRAM, call: { timeoutMs: 5_000 } });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("stream() gives every item in order: of a module, of its worker, and through a module", OPTIONS, async () => {
  const t = await start();
  try {
    const expected = Array.from({ length: 5_000 }, (_, index) => index + 1);
    assert.deepEqual(await collect(t.broker.stream(numbers, "count", [5_000])), expected);
    assert.deepEqual(await collect(t.broker.stream("numbers", "count_in_worker", [5_000])), expected);
    assert.deepEqual(await collect(t.broker.stream(relay, "doubled", [5_000])), expected.map((number) => number * 2));
    const { modules } = await t.broker.status();
    assert.deepEqual(modules.map(({ calls }) => [calls.ok, calls.error]), [[3, 0], [1, 0]]);
  } finally {
    await t.broker.stop();
  }
});

test("leaving a stream early ends its generator, also one behind another module", OPTIONS, async () => {
  const t = await start();
  try {
    for await (const number of t.broker.stream(numbers, "count", [1e9])) if (number === 100) break;
    await t.until(async () => await t.broker.call(numbers, "last") === "ended");
    for await (const number of t.broker.stream(relay, "doubled", [1e9])) if (number === 100) break;
    await t.until(async () => await t.broker.call(numbers, "last") === "ended");
  } finally {
    await t.broker.stop();
  }
});

test("a stream that nobody reads holds its generator, so that memory does not grow", OPTIONS, async () => {
  const t = await start();
  try {
    const stream = t.broker.stream(numbers, "count", [1e9]);
    await stream.next();
    const before = await t.broker.call(numbers, "memory");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const grown = await t.broker.call(numbers, "memory") - before;
    assert.ok(grown < 50_000_000, `${grown} bytes more`);
    await stream.return?.();
  } finally {
    await t.broker.stop();
  }
});

test("an error and an exit in the middle of a stream come after what was yielded before", OPTIONS, async () => {
  const t = await start();
  try {
    const failing = t.broker.stream("numbers", "then_fail");
    assert.deepEqual(await failing.next(), { value: "before", done: false });
    const error = await rejection(failing.next());
    assert.ok(error instanceof RemoteError, String(error));
    assert.deepEqual([error.remoteName, error.message], ["RangeError", "in the middle"]);
    assert.match(error.remoteStack, /modules\.(ts|js)/);
    assert.match(error.stack ?? "", /streams\.test\.(ts|js)/);
    const dying = t.broker.stream("numbers", "then_die");
    assert.deepEqual(await dying.next(), { value: "before", done: false });
    const gone = await rejection(dying.next());
    assert.ok(gone instanceof ProcessGoneError, String(gone));
    assert.equal(gone.exitCode, 7);
  } finally {
    await t.broker.stop();
  }
});

test("a signal cancels a stream, and the generator ends", OPTIONS, async () => {
  const t = await start();
  try {
    const controller = new AbortController();
    const reading = rejection((async () => {
      for await (const number of t.broker.stream(numbers, "count", [1e9], { signal: controller.signal })) {
        if (number === 10) controller.abort();
      }
    })());
    const error = await reading;
    assert.ok(error instanceof CallCancelledError, String(error));
    await t.until(async () => await t.broker.call(numbers, "last") === "ended");
  } finally {
    await t.broker.stop();
  }
});

test("progress gives a call more time, also through a module, until totalTimeoutMs", OPTIONS, async () => {
  const t = await start();
  try {
    const seen: unknown[] = [];
    const settings = { timeoutMs: 400, onProgress: (value: unknown) => void seen.push(value) };
    assert.equal(await t.broker.call(numbers, "work", [10, 100], settings), "done");
    assert.deepEqual(seen, Array.from({ length: 10 }, (_, index) => ({ step: index + 1 })));
    seen.length = 0;
    assert.equal(await t.broker.call(relay, "work", [5, 150], settings), "done");
    assert.deepEqual(seen, Array.from({ length: 5 }, (_, index) => ({ relayed: { step: index + 1 } })));
    const error = await rejection(t.broker.call(numbers, "work", [100, 50], { timeoutMs: 400, totalTimeoutMs: 700 }));
    assert.ok(error instanceof CallTimeoutError, String(error));
    assert.deepEqual([error.timeoutMs, error.peer], [700, "slow"]);
    assert.ok(t.lines(/^call.silence$/).some((line) => line.includes("it is slow")));
  } finally {
    await t.broker.stop();
  }
});
