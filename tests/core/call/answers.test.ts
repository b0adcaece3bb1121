import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerKind } from "../../../src/core/wire/frame.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { frame } from "../frames.ts";
import { settle } from "../manual_clock.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";
import { slowCommand, timeoutFacts } from "./timing_out.ts";

const ANOTHER_LINE = callLine(
  "WARNING",
  "The command call [echo] was sent but another answer was received. Retrying.",
);

function answerLine(which: string, rest: string): string {
  return `DEBUG : [ broker-master ] [ Livestatus ] [ ANSWER ] [ PID:29341 ] [ MainThread ] ${which} answer from Livestatus was discarded (call ${rest})`;
}

/** A conversation whose module answers when the test says so. */
function withHeldAnswers() {
  const answers: ((value: unknown) => void)[] = [];
  const c = new Conversation({ echo: () => new Promise<unknown>((resolve) => void answers.push(resolve)) });
  return { c, answers };
}

test("answer to the first attempt that comes during the second settles the call", async () => {
  const { c, answers } = withHeldAnswers();
  c.callerEnd.block();
  const result = c.call("echo");
  await settle();
  answers[0]?.("first");
  await c.clock.advance(1200);
  c.callerEnd.unblock();
  assert.equal(await result, "first");
  assert.deepEqual(c.counts(), { retried: 1, duplicate: 1 });
  assert.equal(answers.length, 1);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("late answer goes to nobody, and where nobody waits is one DEBUG line", async () => {
  const { c, answers } = withHeldAnswers();
  const failed = rejection(c.call("echo"));
  await c.clock.advance(2000);
  await failed;
  const before = c.sent.lines().length;
  answers[0]?.("late");
  await settle();
  assert.deepEqual(c.sent.lines().slice(before), [answerLine("Late", "1, command [echo]")]);
  assert.deepEqual(c.counts(), { timeout: 1, late: 1 });
  await c.answer([1], ["late again"]);
  assert.deepEqual(c.sent.lines().slice(before + 1), [answerLine("Duplicate", "1")]);
  assert.deepEqual(c.counts(), { timeout: 1, late: 1, duplicate: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("callee that says that a call was cancelled which was given up has not answered it", async () => {
  const slow = slowCommand();
  const c = new Conversation(slow.commands, { concurrency: 2 });
  const failed = rejection(c.call("get_module_info", [], { retry: "never" }));
  await c.clock.advance(1000);
  assert.equal(timeoutFacts(await failed).code, "TIMEOUT");
  const [second, third] = [c.call("get_module_info", [], { timeoutMs: 5_000 }), c.call("get_module_info")];
  await settle();
  assert.equal(slow.waiting.length, 2);
  await c.answer([1], [{ code: "CANCELLED", acknowledged: false }], 3);
  assert.equal(slow.waiting.length, 3);
  assert.deepEqual(c.counts(), { timeout: 1 });
  assert.deepEqual(c.sent.lines().filter((line) => line.includes("another answer")), []);
  for (const answer of slow.waiting) answer("here");
  assert.deepEqual(await Promise.all([second, third]), ["here", "here"]);
});

test("late answer sends the oldest waiting call again, once, and changes neither its timer nor its attempts", async () => {
  const { c, answers } = withHeldAnswers();
  const failed = [rejection(c.call("echo", ["a"])), rejection(c.call("echo", ["b"]))];
  await c.clock.advance(2000);
  await Promise.all(failed);
  const oldest = rejection(c.call("echo", ["oldest"]));
  const younger = c.call("echo", ["younger"]);
  await c.clock.advance(100);
  c.sent.clear();
  const frames = c.bodies(FrameType.calls).length;

  answers[0]?.("late");
  await settle();
  answers[1]?.("late too");
  await settle();
  assert.deepEqual(c.sent.lines(), [ANOTHER_LINE, answerLine("Late", "2, command [echo]")]);
  assert.deepEqual(c.bodies(FrameType.calls).slice(frames), [[3, [3], 0, ["echo"], [["oldest"]], 0]]);
  assert.equal(answers.length, 4, "the callee joined the frame that was sent again");
  assert.deepEqual(c.counts(), { timeout: 2, late: 2 });

  answers[3]?.("for the younger");
  assert.equal(await younger, "for the younger");
  await c.clock.advance(1899);
  assert.deepEqual(c.counts(), { timeout: 2, late: 2, ok: 1 });
  await c.clock.advance(1);
  const error = await oldest;
  assert.deepEqual([Reflect.get(Object(error), "code"), Reflect.get(Object(error), "attempts")], ["TIMEOUT", 2]);
  assert.deepEqual(c.counts(), { timeout: 3, late: 2, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call that was sent again gets its own answer, once", async () => {
  const { c, answers } = withHeldAnswers();
  const result = c.call("echo");
  await c.answer([77], ["not mine"]);
  answers[0]?.("mine");
  assert.equal(await result, "mine");
  await settle();
  assert.equal(answers.length, 1);
  assert.deepEqual(c.counts(), { ok: 1, unknown: 1 });
  assert.deepEqual(c.sent.lines(), [
    ANOTHER_LINE,
    callLine("DEBUG", "The command call [echo] was executed by the module Livestatus in 0.000s"),
  ]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call that was cancelled is not the oldest waiting one, and is not sent again", async () => {
  const { c, answers } = withHeldAnswers();
  const controller = new AbortController();
  const failed = rejection(c.call("echo", ["cancelled"], { signal: controller.signal }));
  const waiting = c.call("echo", ["waits"]);
  await settle();
  controller.abort();
  const frames = c.bodies(FrameType.calls).length;
  await c.answer([77], ["nobody's"]);
  assert.deepEqual(c.bodies(FrameType.calls).slice(frames), [[1, [2], 0, ["echo"], [["waits"]], 0]]);
  answers[1]?.("waits");
  assert.equal(await waiting, "waits");
  await c.clock.advance(100);
  assert.equal(Reflect.get(Object(await failed), "acknowledged"), false);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("duplicate of a settled call is only counted, also while others wait", async () => {
  const { c, answers } = withHeldAnswers();
  const [first, second] = [c.call("echo"), c.call("echo")];
  await settle();
  answers[0]?.("first");
  assert.equal(await first, "first");
  c.sent.clear();
  const frames = c.bodies(FrameType.calls).length;
  await c.answer([1], ["first"]);
  assert.deepEqual(c.sent.lines(), [answerLine("Duplicate", "1")]);
  assert.equal(c.bodies(FrameType.calls).length, frames);
  answers[1]?.("second");
  assert.equal(await second, "second");
  assert.deepEqual(c.counts(), { ok: 2, duplicate: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

for (
  const [id, shown] of [
    [2, "2"],
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [9007199254740993, "9007199254740992"],
    ["1", '"1"'],
    ["__proto__", '"__proto__"'],
    ["a\nb", '"a\\nb"'],
    [null, "null"],
    [true, "true"],
    [[1], "a list"],
    [{ toString: 1, valueOf: 1 }, "an object"],
  ]
) {
  test(`answer with the id ${JSON.stringify(id)} is unknown and reaches nobody`, async () => {
    const { c, answers } = withHeldAnswers();
    const result = c.call("echo");
    await settle();
    // The second one finds its call sent again already, so it is told as what it is.
    await c.answer([id, id, 1], ["not mine", "not mine", "mine"]);
    assert.equal(await result, "mine");
    assert.deepEqual(c.counts(), { unknown: 2, ok: 1 });
    assert.deepEqual(c.sent.lines().slice(0, 2), [ANOTHER_LINE, answerLine("Unknown", String(shown))]);
    assert.deepEqual(c.refused, []);
    answers[0]?.(0);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("answer from a process that has been replaced reaches no call, though ids begin at 1 again", async () => {
  const { c, answers } = withHeldAnswers();
  const gone = rejection(c.call("echo"));
  await settle();
  const old = c.callerEnd;
  c.crash();
  assert.equal(Reflect.get(Object(await gone), "code"), "GONE");
  c.startAgain();
  c.connect();
  const result = c.call("echo");
  await settle();
  answers[0]?.("from the old process");
  old.deliver(frame(FrameType.answers, JSON.stringify([[1], 0, 0, ["from the old process"]])));
  await settle();
  assert.deepEqual(c.bodies(FrameType.calls), [[1, [1], 0, ["echo"], [[]], 0]]);
  answers[1]?.("from the new one");
  assert.equal(await result, "from the new one");
  assert.deepEqual(c.counts(), { error: 1, ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("answers frame that can't be read is refused, and the calls are answered by their second attempt", async () => {
  let runs = 0;
  const c = new Conversation({ echo: () => ++runs });
  c.callerEnd.block();
  const result = c.call("echo");
  await settle();
  c.calleeEnd.written[0]?.fill(0x20, 8, 9);
  c.callerEnd.unblock();
  await c.clock.advance(1000);
  assert.equal(await result, 1);
  assert.equal(runs, 1);
  assert.deepEqual(c.refused, ["the body is not valid JSON |  [1],0,0,[1]]"]);
  assert.deepEqual(c.counts(), { retried: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

for (
  const [value, expected] of [
    [null, "REMOTE Error"],
    ["text", "REMOTE Error"],
    [{ code: "GONE", reason: 5, exitCode: "3", lastLines: "x" }, "GONE ProcessGoneError"],
    [{ code: "TIMEOUT" }, "TIMEOUT CallTimeoutError"],
    [{ code: "CANCELLED", acknowledged: "yes" }, "CANCELLED CallCancelledError"],
    [{ code: "QUEUE_FULL" }, "QUEUE_FULL QueueFullError"],
    [{ code: "PAYLOAD", bytes: {} }, "PAYLOAD PayloadError"],
    [{ code: "UNKNOWN_COMMAND", nearest: [] }, "UNKNOWN_COMMAND UnknownCommandError"],
    [{ code: "UNKNOWN_MODULE" }, "UNKNOWN_MODULE UnknownModuleError"],
    [{ code: "SOMETHING_NEW", message: "m" }, "REMOTE m"],
  ]
) {
  test(`fault ${JSON.stringify(value)} from a faulty peer rejects the call as ${expected}`, async () => {
    const { c } = withHeldAnswers();
    const failed = rejection(c.call("echo"));
    await settle();
    const body = JSON.stringify([[1], 0, [AnswerKind.fault], [value]]);
    c.callerEnd.deliver(frame(FrameType.answers, body));
    const error = Object(await failed);
    const code = String(Reflect.get(error, "code"));
    const rest = code === "REMOTE" ? error.message || error.remoteName : error.name;
    assert.equal(`${code} ${rest}`, expected);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}
