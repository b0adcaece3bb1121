import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeRuntime } from "../fake_runtime.ts";
import { block, clean, DONE, noted, stackLine, START } from "./cleaning.ts";

class HostLost extends Error {
  override name = "HostLost";
}

for (
  const [what, hook, message, summary] of [
    [
      "throws",
      () => {
        throw new HostLost("no host");
      },
      "no host",
      "HostLost: no host",
    ],
    ["rejects", () => Promise.reject(new RangeError("too far")), "too far", "RangeError: too far"],
    [
      "throws an error without a message",
      () => {
        throw new HostLost();
      },
      "HostLost",
      "HostLost",
    ],
    [
      "throws a text",
      () => {
        throw "just text"; // deno-lint-ignore no-throw-literal
      },
      "just text",
      "Error: just text",
    ],
    ["rejects with undefined", () => Promise.reject(undefined), "undefined", "Error: undefined"],
    [
      "returns a thenable that throws",
      () => ({
        then() {
          throw new TypeError("no then");
        },
      }),
      "no then",
      "TypeError: no then",
    ],
  ] as const
) {
  test(`hook that ${what} gives the ERROR block, and the others still run`, async () => {
    const seen: string[] = [];
    const { lines, receipt, timers } = await clean(noted([
      { name: "first", afterForkCleanup: () => void seen.push("first") },
      { name: "sla", afterForkCleanup: hook, owns: [() => void seen.push("owned by sla")] },
      { name: "last", afterForkCleanup: () => void seen.push("last") },
    ]));
    assert.deepEqual(seen, ["last", "owned by sla", "first"]);
    assert.equal(lines[0], START);
    assert.equal(lines.at(-1), DONE);
    assert.deepEqual(lines.slice(1, 5), block("sla", message));
    const first = lines[5] ?? "";
    assert.ok(first.startsWith(stackLine("sla", "ERROR stack : ")), first);
    const last = lines.at(-2) ?? "";
    assert.ok(last.endsWith(` ${summary}`), last);
    assert.deepEqual([receipt.released, receipt.errors], [["last", "first"], 1]);
    assert.equal(timers, 0);
  });
}

test("stack of a hook's error is printed as a traceback, the hook last", async () => {
  const failHere = () => {
    throw new HostLost("no host");
  };
  const { lines } = await clean(noted([{ name: "sla", afterForkCleanup: failHere }]));
  assert.equal(lines[5], stackLine("sla", "ERROR stack : Traceback (most recent call last):"));
  assert.match(
    lines.at(-3) ?? "",
    /\[ sla \]   File ".*failed_hooks\.test\.[jt]s", line \d+, in (?:\w+\.)?(?:failHere|afterForkCleanup)$/,
  );
  assert.equal(lines.at(-2), stackLine("sla", "HostLost: no host"));
});

test("hook that hangs is given up after 5 s, named, and the others still run", async () => {
  const seen: string[] = [];
  const { lines, receipt, timers } = await clean(
    noted([
      { name: "first", afterForkCleanup: () => void seen.push("first") },
      { name: "sla", afterForkCleanup: () => new Promise(() => {}) },
    ]),
    { advance: 5000 },
  );
  assert.deepEqual(seen, ["first"]);
  assert.deepEqual(lines, [
    START,
    ...block("sla", "cleanup did not end in 5s"),
    stackLine("sla", "ERROR stack : DeadlineError: cleanup did not end in 5s"),
    DONE.replace("0.000s", "5.000s"),
  ]);
  assert.deepEqual([receipt.released, receipt.errors, receipt.ms], [["first"], 1, 5000]);
  assert.equal(timers, 0);
});

test("hook that rejects after its deadline is not told twice and harms nothing", async () => {
  let reject = (_: Error) => {};
  const { lines } = await clean(
    noted([{ name: "sla", afterForkCleanup: () => new Promise((_, fail) => reject = fail) }]),
    { advance: 5000 },
  );
  reject(new Error("too late"));
  await Promise.resolve();
  assert.equal(lines.filter((line) => line.includes("〖")).length, 1);
});

test("what a module owns is disposed although its hook failed and one of them throws, in one block", async () => {
  const seen: string[] = [];
  const owns = [
    () => {
      throw new Error("first resource");
    },
    { close: () => Promise.reject(new Error("second resource")) },
    { clear: () => void seen.push("third") },
  ];
  const { lines, receipt } = await clean(noted([{ name: "sla", owns }]));
  assert.deepEqual(seen, ["third"]);
  assert.deepEqual(lines.filter((line) => line.includes("〖")), [block("sla", "first resource")[1]]);
  assert.equal(receipt.errors, 1);
});

test("what a module owns is disposed although its hook hangs, and nothing waits for a second deadline", async () => {
  const seen: string[] = [];
  const { lines, receipt, timers } = await clean(
    noted([
      { name: "first", afterForkCleanup: () => void seen.push("first") },
      {
        name: "sla",
        afterForkCleanup: () => new Promise(() => {}),
        owns: [() => new Promise(() => {}), () => void seen.push("owned by sla")],
      },
    ]),
    { advance: 5000 },
  );
  assert.deepEqual(seen, ["owned by sla", "first"]);
  assert.deepEqual(lines.filter((line) => line.includes("〖")), [block("sla", "cleanup did not end in 5s")[1]]);
  assert.deepEqual([receipt.ms, receipt.modules[0]?.error], [5000, "cleanup did not end in 5s"]);
  assert.equal(timers, 0);
});

test("hook that calls exit gets an error, which gives the ERROR block; after the hooks exit ends the process again", async () => {
  const runtime = new FakeRuntime();
  const exits: unknown[] = [3, undefined, { valueOf: () => 0, toString: () => "object" }];
  const hooks = exits.map((code, index) => ({
    name: `sla-${index}`,
    afterForkCleanup() {
      throw runtime.refusal?.(code) ?? "the process has ended";
    },
  }));
  const { lines, receipt } = await clean(noted(hooks), { runtime });
  const errors = ["exit(object)", "exit()", "exit(3)"].map((call) =>
    `Cannot end the process in a cleanup: ${call} was called`
  );
  assert.deepEqual(receipt.modules.map(({ error }) => error), errors);
  assert.deepEqual([lines[0], lines[2], lines.at(-1)], [START, block("sla-2", errors[0] ?? "")[1], DONE]);
  assert.equal(runtime.refusal, null);
});
