import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { Conversation, NOTHING_LEFT, rejection, silenceLine } from "./conversation.ts";
import { RETRY_LINE, slowCommand, TIMEOUT_LINE, timeoutFacts } from "./timing_out.ts";

test("call() that was never sent times out with attempts 0 and the second line only", async () => {
  const c = new Conversation({}, { away: true });
  const failed = rejection(c.call("get_module_info"));
  await c.clock.advance(1000);
  const { attempts, sent, message } = timeoutFacts(await failed);
  assert.deepEqual({ attempts, sent }, { attempts: 0, sent: false });
  assert.equal(
    message,
    'Cannot call command "get_module_info" of module "Livestatus": timeout (1s): it was never sent, since module "Livestatus" did not become ready or free',
  );
  assert.deepEqual(c.sent.lines(), [TIMEOUT_LINE]);
  assert.deepEqual(c.counts(), { timeout: 1 });
  c.connect();
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  assert.deepEqual(c.bodies(FrameType.calls), []);
});

test("call() counts its timeout from the call, also where it waited for the process", async () => {
  const c = new Conversation(slowCommand().commands, { away: true });
  const failed = rejection(c.call("get_module_info"));
  await c.clock.advance(900);
  c.connect();
  await c.clock.advance(99);
  assert.deepEqual(c.sent.lines(), []);
  await c.clock.advance(1);
  assert.deepEqual(c.sent.lines(), [RETRY_LINE, silenceLine(1, "slow", "0.100s")]);
  await c.clock.advance(1000);
  assert.equal(timeoutFacts(await failed).attempts, 2);
});

test("the time of a call runs from the end of the turn that made it: what its program computes first takes none of it", async () => {
  const slow = slowCommand();
  const c = new Conversation(slow.commands);
  const failed = rejection(c.call("get_module_info", [], { retry: "never" }));
  c.clock.standStill(5000);
  await c.clock.advance(999);
  assert.deepEqual(c.counts(), {});
  await c.clock.advance(1);
  assert.ok(await failed instanceof CallTimeoutError);
  assert.deepEqual(c.counts(), { timeout: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("the time of a call that waits to be sent runs from where it was made", async () => {
  const c = new Conversation({}, { away: true });
  const failed = rejection(c.call("get_module_info", [], { retry: "never" }));
  c.clock.standStill(600);
  await c.clock.advance(399);
  assert.deepEqual(c.counts(), {});
  await c.clock.advance(1);
  assert.ok(await failed instanceof CallTimeoutError);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a call that is cancelled in the turn that made it is never sent, and leaves no timer", async () => {
  const c = new Conversation({ get_module_info: () => 1 });
  const controller = new AbortController();
  const failed = rejection(c.call("get_module_info", [], { signal: controller.signal }));
  controller.abort();
  await failed;
  assert.deepEqual(c.counts(), { cancelled: 1 });
  assert.equal(c.bodies(FrameType.calls).length, 0);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
