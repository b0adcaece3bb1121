import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessGoneError, QueueFullError } from "../../../src/core/faults.ts";
import { settle } from "../manual_clock.ts";
import { FakeProgram } from "./fake_program.ts";

const MCP = { protocol: "mcp" } as const;
const LSP = { protocol: "lsp" } as const;

test("a program that does not read makes its calls wait in the queue, and the queue fill", async () => {
  const program = await FakeProgram.ready({}, { queue: 10 });
  program.near.stick();
  const big = "x".repeat(100_000);
  const outcomes: unknown[] = [];
  for (let count = 0; count < 40; count++) {
    program.call("m", [big]).catch((error) => outcomes.push(error));
    await settle();
  }
  const full = outcomes.filter((outcome) => outcome instanceof QueueFullError);
  assert.ok(full.length > 10 && full.length < 40, `${full.length} were refused`);
  assert.ok(program.near.unsentBytes < 3 * 1024 * 1024, `${program.near.unsentBytes} bytes wait`);
  program.near.release();
  await settle();
  assert.equal(program.takes().length, 40 - full.length);
});

test("a program that ends while it runs a call fails it as gone, with its last lines; what it answered last still arrives", async () => {
  const program = await FakeProgram.ready();
  const [answered, lost] = [program.call("a"), program.call("b")];
  await settle();
  program.complains("Segmentation fault\n");
  await program.says({ id: 1, result: "last words" });
  await program.exits({ code: 3, signal: null });
  assert.equal(await answered, "last words");
  await assert.rejects(lost, (error) => {
    assert.ok(error instanceof ProcessGoneError);
    assert.deepEqual([error.exitCode, error.lastLines], [3, ["Segmentation fault"]]);
    return true;
  });
  assert.deepEqual(program.ends.map(({ code, why, wasReady }) => [code, why, wasReady]), [[3, null, true]]);
});

for (const [what, ms] of [["99 ms after", 99], ["100 ms after", 100], ["with", 0]] as const) {
  const isInTime = ms < 100;
  test(`an answer that comes ${what} the exit of its program is ${isInTime ? "" : "not "}its call's`, async () => {
    const program = await FakeProgram.ready();
    const call = program.call("a").catch((error: Error) => error.message);
    await settle();
    await program.exitSeen({ code: 9, signal: null });
    await program.runtime.clock.advance(ms);
    await program.says({ id: 1, result: "last words" });
    await program.exits({ code: 9, signal: null });
    assert.equal(
      await call,
      isInTime ? "last words" : 'Cannot call command "a" of module "everything": process exited',
    );
    assert.equal(program.ends.length, 1);
    assert.equal(program.runtime.clock.timers, 0);
  });
}

test("a program that closes its output and goes on is killed", async () => {
  const program = await FakeProgram.ready();
  program.near.close();
  await settle();
  await program.runtime.clock.advance(1_000);
  assert.deepEqual(program.events, ["ready", "SIGKILL process closed its output and went on"]);
});

test("drain() lets the running call end, then says shutdown and exit as a language server wants it", async () => {
  const program = await FakeProgram.ready(LSP);
  const call = program.call("slow");
  await settle();
  program.takes();
  program.session.drain();
  await program.runtime.clock.advance(10);
  assert.deepEqual(program.takes(), []);
  await program.says({ id: 2, result: "done" });
  assert.equal(await call, "done");
  assert.deepEqual(program.takes(), [{ jsonrpc: "2.0", id: 3, method: "shutdown" }]);
  assert.equal(program.inputEnded, false);
  await program.says({ id: 3, result: null });
  assert.deepEqual(program.takes(), [{ jsonrpc: "2.0", method: "exit" }]);
  assert.equal(program.inputEnded, true);
  await program.exits({ code: 0, signal: null });
  assert.deepEqual([program.signals.filter((signal) => signal === "SIGTERM"), program.runtime.clock.timers], [[], 0]);
});

test("giveUp() sends SIGTERM, so that npx undoes a download that is half done, then SIGKILL; a late answer makes it ready no more", async () => {
  const program = new FakeProgram(MCP);
  await program.start();
  program.session.giveUp("process did not reach the end of its initialize exchange in 60s");
  await program.says({ id: 1, result: { serverInfo: { name: "late" } } });
  await program.runtime.clock.advance(1_999);
  assert.deepEqual(program.signals, ["SIGTERM"]);
  await program.runtime.clock.advance(1);
  assert.deepEqual(program.events, [
    "SIGTERM process did not reach the end of its initialize exchange in 60s",
    "SIGKILL process did not end in 2s after SIGTERM",
  ]);
  await program.exits({ code: null, signal: "SIGKILL" });
  assert.deepEqual(program.ends.map(({ why, wasReady }) => [why, wasReady]), [
    ["process did not reach the end of its initialize exchange in 60s", false],
  ]);
  assert.equal(program.runtime.clock.timers, 0);
});

test("drain() of a program that still starts sends SIGTERM at once, as there is nothing to finish, and no line says so", async () => {
  const program = new FakeProgram(MCP);
  await program.start();
  program.session.drain();
  await program.runtime.clock.advance(0);
  assert.deepEqual([program.signals, program.inputEnded, program.events], [["SIGTERM"], true, []]);
  await program.exits({ code: null, signal: "SIGTERM" });
  assert.deepEqual([program.ends.length, program.runtime.clock.timers], [1, 0]);
});

test("drain() of an MCP server ends its input, then sends SIGTERM, then SIGKILL", async () => {
  const program = await FakeProgram.ready(MCP);
  program.session.drain();
  await program.runtime.clock.advance(0);
  assert.deepEqual([program.inputEnded, program.takes(), program.signals], [true, [], []]);
  await program.runtime.clock.advance(5_000);
  await program.runtime.clock.advance(2_000);
  assert.deepEqual(program.events, [
    "ready",
    "SIGTERM process did not drain in 5s",
    "SIGKILL process did not end in 2s after SIGTERM",
  ]);
});
