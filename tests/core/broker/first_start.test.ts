// What becomes known of a module whose first start fails: by the start of the broker with failFast, by the first call without it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError, ProcessGoneError } from "../../../src/core/faults.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { MemoryTree } from "./memory_tree.ts";

function failing(restart: "always" | "never") {
  return defineModule({
    name: "sla",
    restart,
    commands: { get_report: () => "report" },
    start() {
      throw new Error("no disk");
    },
  });
}

const hello = defineModule({ name: "hello", commands: { greet: () => "hello" } });

async function rejected(work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => undefined, (error: unknown) => error);
}

const CAUSE = "start of the module failed: no disk";

test("failFast: start() rejects with the first start that failed, after the others were stopped", async () => {
  const t = new MemoryTree([hello, failing("always")], { failFast: true });
  const started = rejected(t.core.start());
  const error = await t.ends(started);
  await t.ends(t.core.stop());
  assert.ok(error instanceof ProcessGoneError, String(error));
  assert.deepEqual([error.message, error.exitCode, error.detail], [
    `Cannot start module "sla": process did not start: ${CAUSE}`,
    1,
    CAUSE,
  ]);
  assert.deepEqual(t.lines(/^broker\.ready|^process\.stopped/).map((line) => line.replace(/ in [\d.]+s$/, "")), [
    "INFO : [ hello ] [ PROCESS ] [ MainThread ] hello stopped",
  ]);
});

test("failFast: a start that succeeds is not failed by a crash that comes later", async () => {
  const t = await MemoryTree.up([hello], { failFast: true });
  t.process("hello").exit(3);
  await t.rest();
  assert.deepEqual(t.lines(/^process\.backoff/).length, 1);
  await t.rest(10_000);
  assert.equal(await t.ends(t.core.call("hello", "greet")), "hello");
});

test("without failFast a call to a module that will not start again says why its first start failed", async () => {
  const t = await MemoryTree.up([failing("never")]);
  const error = await t.ends(rejected(t.core.call("sla", "get_report")));
  assert.ok(error instanceof ProcessGoneError, String(error));
  assert.equal(
    error.message,
    `Cannot call command "get_report" of module "sla": process did not start: ${CAUSE}`,
  );
  assert.equal(error.reason, "process did not start");
});

test("a call that waits in vain for the next start of a module says why the last one failed", async () => {
  const disk = { isThere: true };
  const sla = defineModule({
    name: "sla",
    commands: { get_report: () => "report" },
    start() {
      if (!disk.isThere) throw new Error("no disk");
    },
  });
  const t = await MemoryTree.up([sla]);
  disk.isThere = false;
  t.process("sla").exit(3);
  await t.rest();
  const called = rejected(t.core.call("sla", "get_report", [], { timeoutMs: 100 }));
  await t.rest(100);
  const error = await t.ends(called);
  assert.ok(error instanceof CallTimeoutError, String(error));
  assert.deepEqual([error.sent, error.detail], [false, CAUSE]);
  assert.equal(
    error.message,
    'Cannot call command "get_report" of module "sla": timeout (0.1s): it was never sent, since module "sla" did not ' +
      `become ready: ${CAUSE}`,
  );
  assert.deepEqual(t.lines(/^call\.timeout/).map((line) => line.slice(0, 5)), ["ERROR"]);
});
