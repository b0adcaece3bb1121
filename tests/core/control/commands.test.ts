import assert from "node:assert/strict";
import { test } from "node:test";
import { controlCommands } from "../../../src/core/control/commands.ts";
import { MemoryTree } from "../broker/memory_tree.ts";

for (
  const [command, ...params] of [
    ["stop", 5],
    ["stop", { name: "sla" }],
    ["restart", ["sla"]],
    ["reload", false],
    ["describe", 5],
    ["call", "sla", "pid", [], 500],
    ["call", "sla", "pid", [], { timeoutMs: "500" }],
    ["stream", "sla", "pid", [], { timeoutMs: "500" }],
  ] as const
) {
  test(`${command} refuses ${JSON.stringify(params)}, and neither guesses nor takes all modules for it`, async () => {
    const t = await MemoryTree.up([{ name: "sla", commands: { pid: () => 1 } }]);
    const commands = controlCommands(t.core, { now: () => 0, stop: () => t.core.stop() });
    const context = { id: 1, attempt: 1, caller: "client", signal: new AbortController().signal, progress: () => {} };
    const begun = async () => await Reflect.apply(commands.get(command) ?? assert.fail(), context, params);
    await assert.rejects(t.ends(begun()), TypeError);
    const [sla] = (await t.ends(t.core.status())).modules;
    assert.deepEqual([sla?.state, sla?.restarts], ["ready", 0]);
    await t.ends(t.core.stop());
  });
}
