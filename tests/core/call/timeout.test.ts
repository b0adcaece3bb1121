import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { settle } from "../manual_clock.ts";
import { Conversation, NOTHING_LEFT, rejection, silenceLine } from "./conversation.ts";
import { ANSWERED_LINE, RETRY_LINE, slowCommand, TIMEOUT_LINE, timeoutFacts } from "./timing_out.ts";

test("call() joins the second attempt to the first, so the command runs once and counts as retried", async () => {
  const slow = slowCommand();
  const c = new Conversation(slow.commands);
  const result = c.call("get_module_info");
  await c.clock.advance(1500);
  assert.equal(slow.waiting.length, 1);
  slow.waiting[0]?.("fine");
  assert.equal(await result, "fine");
  assert.deepEqual(c.sent.lines(), [RETRY_LINE, silenceLine(1, "slow", "0.500s"), ANSWERED_LINE]);
  assert.deepEqual(c.counts(), { retried: 1 });
  assert.deepEqual(c.bodies(FrameType.calls), [
    [1, [1], 0, ["get_module_info"], [[]], 0],
    [1, [1], [2], ["get_module_info"], [[]], 0],
  ]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  assert.deepEqual(c.counts(), { retried: 1 });
});

test("a pong may be anything, and a list in it says of which calls the process behind the callee is silent", async () => {
  for (
    const [body, peer] of [
      ["[[1,250]]", "blocked"],
      ["[[2,250]]", "slow"],
      ["[[1,250],[1,null]]", "slow"],
      [
        "[[1]]",
        "slow",
      ],
      ["[1", "slow"],
      ["\xff", "slow"],
      ["", "slow"],
      ['[[1,"250"],null,[[]]]', "slow"],
    ] as const
  ) {
    const c = new Conversation(slowCommand().commands);
    const failed = rejection(c.call("get_module_info", [], { retry: "never" }));
    await c.clock.advance(750);
    c.caller.pong(Uint8Array.from(body, (character) => character.charCodeAt(0)));
    await c.clock.advance(250);
    assert.equal(timeoutFacts(await failed).peer, peer, body);
  }
});

test("call() that times out twice rejects with CallTimeoutError, a slow peer, and the two lines of the seed", async () => {
  const slow = slowCommand();
  const c = new Conversation(slow.commands);
  const failed = rejection(c.call("get_module_info"));
  await c.clock.advance(1999);
  const first = [RETRY_LINE, silenceLine(1, "slow", "0.500s")];
  assert.deepEqual(c.sent.lines(), first);
  await c.clock.advance(1);
  assert.deepEqual(timeoutFacts(await failed), {
    name: "CallTimeoutError",
    code: "TIMEOUT",
    timeoutMs: 1000,
    attempts: 2,
    sent: true,
    peer: "slow",
    message:
      'Cannot call command "get_module_info" of module "Livestatus": timeout (1s): module "Livestatus" is slow, 2 attempts',
  });
  assert.deepEqual(c.sent.lines(), [...first, TIMEOUT_LINE, silenceLine(2, "slow", "0.500s")]);
  assert.equal(slow.waiting.length, 1);
  assert.deepEqual(c.counts(), { timeout: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() says that the peer is blocked where it gave no sign of life", async () => {
  const c = new Conversation(slowCommand().commands);
  c.calleeEnd.block();
  const failed = rejection(c.call("get_module_info"));
  await c.clock.advance(2000);
  const { peer, message } = timeoutFacts(await failed);
  assert.equal(peer, "blocked");
  assert.match(message, /module "Livestatus" is blocked, 2 attempts$/);
  assert.deepEqual(c.sent.lines(), [
    RETRY_LINE,
    silenceLine(1, "blocked", "1.000s"),
    TIMEOUT_LINE,
    silenceLine(2, "blocked", "2.000s"),
  ]);
  assert.deepEqual(c.bodies(FrameType.ping), [1, 1]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("call() with retry never rejects after one timeout, with one line", async () => {
  const c = new Conversation(slowCommand().commands);
  const failed = rejection(c.call("get_module_info", [], { retry: "never", timeoutMs: 500 }));
  await c.clock.advance(500);
  const { attempts, sent, timeoutMs, message } = timeoutFacts(await failed);
  assert.deepEqual({ attempts, sent, timeoutMs }, { attempts: 1, sent: true, timeoutMs: 500 });
  assert.match(message, /timeout \(0.5s\): module "Livestatus" is slow, 1 attempt$/);
  assert.deepEqual(c.sent.lines(), [TIMEOUT_LINE.replace("(1s)", "(0.5s)"), silenceLine(1, "slow", "0.250s")]);
  assert.deepEqual(c.counts(), { timeout: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("callee answers again when the second attempt comes after its answer left, and does not run again", async () => {
  let runs = 0;
  const c = new Conversation({ get_module_info: () => ++runs });
  c.callerEnd.block();
  const result = c.call("get_module_info");
  await c.clock.advance(1500);
  assert.equal(runs, 1);
  c.callerEnd.unblock();
  assert.equal(await result, 1);
  await settle();
  assert.equal(c.calleeEnd.written.length, 4, "two pongs, the answer, and the answer again");
  assert.deepEqual(c.counts(), { retried: 1, duplicate: 1 });
  assert.deepEqual(c.sent.ids(), ["call.retry", "call.silence", "call.answered", "answer.duplicate"]);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("callee runs a call whose first frame was refused when the second attempt comes", async () => {
  const ran: unknown[] = [];
  const c = new Conversation({
    get_module_info(this: { attempt: number }, value: number) {
      ran.push([value, this.attempt]);
      return value;
    },
  });
  c.calleeEnd.block();
  const lost = c.call("get_module_info", [1]);
  await settle();
  c.callerEnd.written[0]?.fill(0x78, 8); // the body
  c.calleeEnd.unblock();
  const second = c.call("get_module_info", [2]);
  assert.equal(await second, 2);
  await c.clock.advance(1000);
  assert.equal(await lost, 1);
  assert.deepEqual(ran, [[2, 1], [1, 2]]);
  assert.deepEqual(c.refused, [`the body is not valid JSON | ${"x".repeat(32)}`]);
  assert.deepEqual(c.counts(), { ok: 1, retried: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("caller that stood still reads the answers that came meanwhile before it gives up calls", async () => {
  const c = new Conversation({ get_module_info: () => "here" });
  c.callerEnd.block();
  const result = c.call("get_module_info", [], { retry: "never" });
  await settle();
  // An event loop runs the timers that are due before it reads.
  c.clock.timer(501, () => c.callerEnd.unblock());
  c.clock.standStill(5000);
  await c.clock.advance(0);
  assert.equal(await result, "here");
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("caller whose timer was lost times out that call and the later ones from the next call on", async () => {
  const c = new Conversation(slowCommand().commands);
  const lost = rejection(c.call("get_module_info", [], { retry: "never" }));
  await settle();
  c.clock.loseTimers();
  await c.clock.advance(5000);
  const later = rejection(c.call("get_module_info", [], { retry: "never" }));
  await c.clock.advance(1000);
  assert.equal(timeoutFacts(await lost).code, "TIMEOUT");
  assert.equal(timeoutFacts(await later).code, "TIMEOUT");
  assert.deepEqual(c.sent.lines().filter((line) => line.includes("ERROR")), [TIMEOUT_LINE, TIMEOUT_LINE]);
  assert.deepEqual(c.counts(), { timeout: 2 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("calls that keep the event loop busy set an overdue timer again once, not each of them", async () => {
  const c = new Conversation({ get_module_info: () => "here" });
  await c.call("get_module_info", []);
  c.clock.standStill(5000);
  const timer = c.clock.timer.bind(c.clock);
  let set = 0;
  c.clock.timer = (ms, fn) => {
    set++;
    return timer(ms, fn);
  };
  for (let made = 0; made < 10; made++) assert.equal(await c.call("get_module_info", []), "here");
  assert.equal(set, 1);
  c.clock.standStill(50);
  await c.call("get_module_info", []);
  assert.equal(set, 2);
  await c.clock.advance(0);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a call that was passed on writes no line, whatever becomes of it, and is counted", async () => {
  const c = new Conversation({ ...slowCommand().commands, fine: () => 1 });
  const failed = rejection(c.call("get_module_info", [], { passedOn: true }));
  assert.equal(await c.call("fine", [], { passedOn: true }), 1);
  await c.clock.advance(2000);
  assert.equal(timeoutFacts(await failed).attempts, 2);
  assert.deepEqual(c.sent.lines(), []);
  assert.deepEqual(c.counts(), { ok: 1, timeout: 1 });
});

test("Caller keeps one timer for all its calls, and none a moment after the last is settled", async () => {
  const slow = slowCommand();
  const c = new Conversation(slow.commands);
  const results = Array.from({ length: 100 }, () => c.call("get_module_info"));
  assert.equal(c.clock.timers, 1);
  await settle();
  for (const answer of slow.waiting) answer(1);
  await Promise.all(results);
  await c.clock.advance(500);
  // The callee keeps its answers for a while; that timer goes with it.
  c.callee.abort();
  assert.equal(c.clock.timers, 0);
});

test("log function that cancels a call when it is told of a retry harms no other call", async () => {
  const slow = slowCommand();
  const c = new Conversation(slow.commands);
  const [first, second] = [new AbortController(), new AbortController()];
  c.sent.onReport = (event) => {
    if (event !== "call.retry") return;
    first.abort();
    second.abort();
  };
  const failed = [first, second].map(({ signal }) => rejection(c.call("get_module_info", [], { signal })));
  const third = rejection(c.call("get_module_info"));
  await c.clock.advance(1099);
  assert.deepEqual(c.counts(), {}, "each has its 100 ms to be acknowledged");
  await c.clock.advance(1);
  assert.deepEqual((await Promise.all(failed)).map((error) => Reflect.get(Object(error), "code")), [
    "CANCELLED",
    "CANCELLED",
  ]);
  await c.clock.advance(2000);
  assert.equal(timeoutFacts(await third).attempts, 2);
  assert.deepEqual(c.counts(), { cancelled: 2, timeout: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
