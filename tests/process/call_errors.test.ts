import {
  CallCancelledError,
  PayloadError,
  ProcessGoneError,
  RemoteError,
  UnknownCommandError,
  UnknownModuleError,
} from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { sla } from "../fixtures/broker/modules.ts";
import { rejection, TestBroker } from "./broker_of.ts";

/** For what a busy machine holds up. */
const PATIENT = { timeoutMs: 30_000 };

test("a crash in the command reaches the caller at once, with both stacks", async () => {
  const t = await TestBroker.start();
  try {
    const error = await rejection(t.broker.call("sla", "crash"));
    assert.ok(error instanceof RemoteError);
    assert.equal(error.message, "'int' object is not iterable");
    assert.equal(error.remoteName, "TypeError");
    assert.match(error.remoteStack, /modules\.[jt]s/);
    assert.match(error.stack ?? "", /call_errors\.test\.[jt]s/);
    const texts = t.lines(/^command\.error$/).map((line) => line.slice(line.indexOf("MainThread ] ") + 13));
    assert.equal(texts[0], "Failed to execute received command [crash] with error: 'int' object is not iterable");
    assert.equal(texts[1], "Traceback (most recent call last):");
    assert.match(texts[2] ?? "", /^ {2}File ".*modules\.[jt]s", line \d+, in crash$/);
    assert.equal(texts[3], "TypeError: 'int' object is not iterable");
    assert.equal(texts.length, 4);
    const sender = t.lines(/^call\.error$/);
    assert.match(sender[0] ?? "", /Traceback/);
    assert.match(sender.at(-1) ?? "", /Failed to send command call \[crash\] for module sla because of error: 'int'/);
  } finally {
    await t.broker.stop();
  }
});

test("an unknown command and an unknown module name what was probably meant", async () => {
  const t = await TestBroker.start();
  try {
    const command = await rejection(t.broker.call("sla", "get_reprot"));
    assert.ok(command instanceof UnknownCommandError);
    assert.deepEqual([command.command, command.nearest], ["get_reprot", "get_report"]);
    for (const name of ["__proto__", "constructor", "toString", "then"]) {
      assert.ok(await rejection(t.broker.call("sla", name)) instanceof UnknownCommandError, name);
    }
    const module = await rejection(t.broker.call("sal", "size"));
    assert.ok(module instanceof UnknownModuleError);
    assert.equal(module.nearest, "sla");
    const remote = await rejection(t.broker.call("Livestatus", "ask", ["WebIU", "history", []]));
    assert.ok(remote instanceof RemoteError);
    assert.equal(remote.remoteName, "UnknownModuleError");
    assert.equal(t.lines(/^command\.unknown$/).length, 5);
  } finally {
    await t.broker.stop();
  }
});

test("a value that can't be sent is refused with its path, and the process lives", async () => {
  const t = await TestBroker.start();
  try {
    const error = await rejection(t.broker.call("sla", "echo", [{ when: [() => {}] }]));
    assert.ok(error instanceof PayloadError);
    assert.match(error.message, /params\[0\]\.when\[0\] is a function/);
    assert.equal(await t.broker.call(sla, "echo", ["alive"]), "alive");
  } finally {
    await t.broker.stop();
  }
});

test("an abort reaches the handler, and the error says that it ended", async () => {
  const t = await TestBroker.start();
  try {
    const controller = new AbortController();
    const call = rejection(t.broker.call(sla, "until_cancelled", [], { timeoutMs: 10_000, signal: controller.signal }));
    await t.broker.call(sla, "size");
    controller.abort(new Error("no longer needed"));
    const error = await call;
    assert.ok(error instanceof CallCancelledError);
    assert.equal(error.acknowledged, true);
    assert.equal((error.cause as Error).message, "no longer needed");
  } finally {
    await t.broker.stop();
  }
});

test("a process that ends in a call rejects it with its exit code or signal and its last lines", async () => {
  const t = await TestBroker.start();
  try {
    await t.broker.call(sla, "complain", ["disk is full\n"]);
    const exited = await rejection(t.broker.call(sla, "exit", [3], PATIENT));
    assert.ok(exited instanceof ProcessGoneError);
    assert.deepEqual([exited.exitCode, exited.signal, exited.lastLines], [3, null, ["disk is full"]]);
    assert.match(t.lines(/^call\.error$/).at(-1) ?? "", /because of error: process exited with code 3$/);
    const killed = await rejection(t.broker.call(sla, "kill", ["SIGKILL"], PATIENT));
    assert.ok(killed instanceof ProcessGoneError);
    assert.deepEqual([killed.exitCode, killed.signal], [null, "SIGKILL"]);
    assert.match(t.lines(/^call\.error$/).at(-1) ?? "", /because of error: process was killed by SIGKILL$/);
    assert.equal(await t.broker.call(sla, "last_words", [0], { timeoutMs: 5_000 }), "the answer");
  } finally {
    await t.broker.stop();
  }
});

test("a rejection that a module forgot to handle ends its process, in every runtime", async () => {
  const t = await TestBroker.start();
  try {
    const error = await rejection(t.broker.call("sla", "forget", [], { timeoutMs: 20_000 }));
    assert.ok(error instanceof ProcessGoneError);
    assert.equal(error.exitCode, 1);
    assert.match(error.lastLines.join("\n"), /forgotten/);
  } finally {
    await t.broker.stop();
  }
});
