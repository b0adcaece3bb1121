// Errors that a module expects are answers: no line at ERROR on either side, and a call that counts as answered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteError } from "../../../src/core/faults.ts";
import { defineModule, toModule } from "../../../src/core/module/module.ts";
import { MemoryTree } from "./memory_tree.ts";

class NotFoundError extends Error {
  readonly data = { status: 404 };
}
class NoMonthError extends NotFoundError {}

/** What `instanceof` asks throws. */
class HostileError extends Error {}
Object.defineProperty(HostileError, Symbol.hasInstance, {
  value() {
    throw new Error("no");
  },
});

const sla = defineModule({
  name: "sla",
  expected: [NotFoundError],
  commands: {
    get_report: (month: string): never => {
      throw new NoMonthError(`no report of ${month}`);
    },
    crash: (): never => {
      throw new TypeError("crashed");
    },
    *months(): Generator<string> {
      yield "2021-10";
      throw new NotFoundError("no more months");
    },
  },
});

const livestatus = defineModule({
  name: "Livestatus",
  expected: [NotFoundError],
  workers: {
    count: 1,
    commands: (ctx) => ({
      look: (): never => {
        throw new NotFoundError("no such host");
      },
      ask: () => ctx.call("sla", "get_report", ["2021-11"]),
    }),
  },
  commands: (ctx) => ({
    look: () => ctx.workers.call("look").catch((error: unknown) => error instanceof RemoteError && error.expected),
    ask: () => ctx.workers.call("ask"),
  }),
});

const FAILURES = /^(call|command)\.(error|timeout|retry)/;

async function rejected(call: Promise<unknown>): Promise<RemoteError> {
  const error: unknown = await call.then(() => undefined, (error) => error);
  assert.ok(error instanceof RemoteError, String(error));
  return error;
}

async function callsOf(t: MemoryTree, module: string) {
  const { modules } = await t.ends(t.core.status());
  return modules.find(({ name }) => name === module)?.calls;
}

test("an error that the module expects, or one of a class under it, is an answer without a line at ERROR", async () => {
  const t = await MemoryTree.up([sla]);
  const error = await t.ends(rejected(t.core.call("sla", "get_report", ["2021-11"])));
  assert.deepEqual([error.message, error.remoteName, error.data, error.expected], [
    "no report of 2021-11",
    "NoMonthError",
    { status: 404 },
    true,
  ]);
  assert.match(error.remoteStack, /^Error: no report of 2021-11\n/);
  assert.deepEqual(t.lines(FAILURES), []);
  assert.deepEqual(
    t.lines(/^call\.answered/),
    [
      "DEBUG : [ broker-master ] [ COMMAND CALL ] [ MainThread ] " +
      "The command call [get_report] was executed by the module sla in 0.000s",
    ].map((line) => line.replace("[ broker-master ] ", "[ sla ] ")),
  );
  const { ok, error: errors } = await callsOf(t, "sla") ?? {};
  assert.deepEqual([ok, errors], [1, 0]);
});

test("an error that the module does not expect has its lines at ERROR, and counts as one", async () => {
  const t = await MemoryTree.up([sla]);
  const error = await t.ends(rejected(t.core.call("sla", "crash")));
  assert.deepEqual([error.message, error.expected], ["crashed", false]);
  assert.deepEqual(t.lines(FAILURES).filter((line) => line.includes("because of error")), [
    "ERROR : [ sla ] [ COMMAND CALL ] [ MainThread ] " +
    "Failed to send command call [crash] for module sla because of error: crashed",
  ]);
  const { ok, error: errors } = await callsOf(t, "sla") ?? {};
  assert.deepEqual([ok, errors], [0, 1]);
});

test("an expected error ends a stream, and the items before it are given out", async () => {
  const t = await MemoryTree.up([sla]);
  const items: unknown[] = [];
  const read = async () => {
    for await (const item of t.core.stream("sla", "months")) items.push(item);
  };
  assert.equal((await t.ends(rejected(read()))).expected, true);
  assert.deepEqual([items, t.lines(FAILURES)], [["2021-10"], []]);
});

test("an expected error of a worker, and of a module that a worker calls, is expected in each process on its way", async () => {
  const t = await MemoryTree.up([sla, livestatus]);
  assert.equal(await t.ends(t.core.call("Livestatus", "look")), true);
  assert.deepEqual(t.lines(FAILURES), []);
  // The worker lets it through, and what it throws itself then is no error that its module expects.
  const error = await t.ends(rejected(t.core.call("Livestatus", "ask")));
  assert.deepEqual([error.remoteName, error.message, error.expected], ["RemoteError", "no report of 2021-11", false]);
  assert.deepEqual(t.lines(FAILURES).filter((line) => /\[get_report\]/.test(line)), []);
});

test("a class whose own code says what is one of its kind can't keep an error from its caller", async () => {
  const hostile = defineModule({
    name: "hostile",
    expected: [HostileError],
    commands: {
      crash: (): never => {
        throw new Error("crashed");
      },
    },
  });
  const t = await MemoryTree.up([hostile]);
  assert.equal((await t.ends(rejected(t.core.call("hostile", "crash")))).message, "crashed");
});

for (
  const [expected, message] of [
    [NotFoundError, 'Module "sla": expected must be a list of classes, and it is a function'],
    [["NotFoundError"], 'Module "sla": expected[0] must be a class of errors, and it is "NotFoundError"'],
    [[NotFoundError, () => {}], 'Module "sla": expected[1] must be a class of errors, and it is a function'],
  ] as const
) {
  test(`defineModule() refuses with: ${message}`, () => {
    assert.throws(() => toModule({ name: "sla", expected }), new TypeError(message));
  });
}
