import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerCore } from "../../../src/core/broker/broker.ts";
import { checkOptions } from "../../../src/core/broker/options.ts";
import { FakeRuntime } from "../fake_runtime.ts";

class StallingRuntime extends FakeRuntime {
  lost: (lines: number, reason: string) => void = () => {};

  override whenErrorLost(fn: (lines: number, reason: string) => void): void {
    this.lost = fn;
  }
}

test("a broker logs how many lines standard error did not take, when its reader is back", () => {
  const runtime = new StallingRuntime();
  const lines: string[] = [];
  const plan = checkOptions({ name: "b", modules: [], log: (record) => void lines.push(...record.lines()) });
  new BrokerCore(plan, { runtime, depth: 0, load: null });
  runtime.lost(12, "its reader took nothing for 1s");
  assert.deepEqual(lines.map((line) => line.replace(/^\[[^\]]*\] /, "")), [
    "WARNING : [ b ] [ b ] [ BROKER ] [ PID:29341 ] [ MainThread ] " +
    "12 log lines are lost, standard error could not be written: its reader took nothing for 1s",
  ]);
});
