// What signals do to a broker's process.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { obeySignals } from "../../../src/core/control/signals.ts";
import { FakeBroker, wasAsked } from "../broker/fake_broker.ts";
import { settle } from "../manual_clock.ts";

/** A broker of module sla that runs, and what sends its process a signal. */
async function obeying(hasTerminal: () => boolean = () => false) {
  const t = new FakeBroker({ sla: {} });
  const listeners = new Map<string, () => void>();
  const onSignal = (signal: string, fn: () => void) => {
    listeners.set(signal, fn);
    return () => void listeners.delete(signal);
  };
  const started = t.core.start();
  await settle();
  await t.up("sla");
  await started;
  obeySignals(t.core, { runtime: Object.assign(t.runtime, { onSignal, hasTerminal }), end: () => t.core.stop() });
  const send = async (signal: string) => {
    listeners.get(signal)?.();
    await settle();
  };
  return { t, send };
}

test("SIGHUP replaces every module's process, one SIGHUP after the other", async () => {
  const { t, send } = await obeying();
  await send("SIGHUP");
  await send("SIGHUP");
  assert.equal(t.lives("sla").length, 2);
  await t.up("sla");
  await t.lives("sla")[0]?.exit({ code: 0, signal: null });
  assert.equal(t.lives("sla").length, 3);
});

test("SIGHUP drains a broker whose terminal has been closed, once, and any number of them kills nothing", async () => {
  let isOpen = true;
  const { t, send } = await obeying(() => isOpen);
  await send("SIGHUP");
  assert.equal(t.lives("sla").length, 2, "the terminal is there: somebody sent it");
  await t.up("sla");
  await t.lives("sla")[0]?.exit({ code: 0, signal: null });
  isOpen = false;
  for (let i = 0; i < 3; i++) await send("SIGHUP");
  assert.deepEqual([t.lives("sla").length, wasAsked(t.life("sla"))], [2, true]);
  assert.deepEqual(t.life("sla").signals, []);
  await t.down("sla");
  assert.equal(t.told("broker.stopped").length, 1);
});

test("each SIGHUP while another one waits for its turn is part of that one", async () => {
  const { t, send } = await obeying();
  for (let i = 0; i < 5; i++) await send("SIGHUP");
  for (const i of [0, 1]) {
    await t.up("sla");
    await t.lives("sla")[i]?.exit({ code: 0, signal: null });
  }
  assert.equal(t.lives("sla").length, 3);
});

test("SIGHUP while the broker ends is of no effect: systemd may send it right behind SIGTERM", async () => {
  const { t, send } = await obeying();
  const rejections: unknown[] = [];
  const rejected = (reason: unknown) => void rejections.push(reason);
  process.on("unhandledRejection", rejected);
  try {
    await send("SIGTERM");
    await send("SIGHUP");
    await send("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(rejections, []);
    assert.deepEqual([t.lives("sla").length, wasAsked(t.life("sla"))], [1, true]);
  } finally {
    process.off("unhandledRejection", rejected);
    await t.down("sla");
  }
});

test("a signal that comes twice at once is one: only a later one kills what runs", async () => {
  const { t, send } = await obeying();
  let hurried = 0;
  Object.assign(t.core, { hurry: () => Promise.resolve(void hurried++) });
  await send("SIGINT");
  await send("SIGINT");
  await t.runtime.clock.advance(249);
  await send("SIGTERM");
  assert.deepEqual([wasAsked(t.life("sla")), hurried], [true, 0]);
  await t.runtime.clock.advance(1);
  await send("SIGINT");
  await send("SIGINT");
  assert.equal(hurried, 1);
  await t.down("sla");
});
