// The inspector of a running process, opened for a debugger by the command line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UnknownModuleError } from "../../../src/core/faults.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { defineProgram } from "../../../src/core/module/program.ts";
import type { InspectAnswer } from "../../../src/core/control/protocol.ts";
import { MemoryTree } from "./memory_tree.ts";

const URL_OF = "ws://127.0.0.1:46367/id";
const LINE = "can be inspected at 127.0.0.1:46367 for 600.000s";

function tree(): Promise<MemoryTree> {
  const shop = defineModule({ name: "shop", workers: { count: 2, commands: {} } });
  const reader = defineModule({ name: "reader", permissions: { net: [] } });
  const server = defineProgram({ name: "server", command: ["server"] });
  return MemoryTree.up([shop, reader, server], { programs: { server: () => undefined } });
}

async function inspect(t: MemoryTree, name: string, open = true): Promise<InspectAnswer> {
  return await t.ends((await t.client()).inspect(name, open));
}

/** The lines about inspectors, from the name on. */
function said(t: MemoryTree): string[] {
  return t.lines(/^process\.inspected/).map((line) => line.replace(/.*MainThread \] /, "").replace(/ \(pid.*/, ""));
}

for (const process of ["shop", "shop-2"]) {
  test(`brokkr inspect opens the inspector of ${process} with one WARNING line, and closes it with --off`, async () => {
    const t = await tree();
    const client = await t.client();
    assert.deepEqual(await t.ends(client.inspect(process, true)), { url: URL_OF, error: null });
    const inspectors = () => ["shop", "shop-1", "shop-2"].filter((name) => t.process(name).inspector !== null);
    assert.deepEqual(inspectors(), [process]);
    assert.deepEqual(said(t), [`${process} ${LINE}`]);
    const [line = ""] = t.lines(/^process\.inspected/);
    assert.match(line, new RegExp(`^WARNING .*\\(pid ${t.process(process).pid}\\): every user of this machine`));
    assert.deepEqual(await t.ends(client.inspect(process, false)), { url: null, error: null });
    assert.deepEqual([inspectors(), said(t).length], [[], 1]);
  });
}

test("an inspector closes after 10 minutes, counted from the last time that it was asked for", async () => {
  const t = await tree();
  const client = await t.client();
  await t.ends(client.inspect("shop", true));
  await t.rest(9 * 60_000);
  await t.ends(client.inspect("shop", true));
  await t.rest(10 * 60_000 - 1);
  assert.equal(t.process("shop").inspector, URL_OF);
  await t.rest(1);
  assert.equal(t.process("shop").inspector, null);
});

test("an inspector closes when its process drains, as a debugger would keep it", async () => {
  const t = await tree();
  await inspect(t, "shop");
  const process = t.process("shop");
  await t.ends(t.core.stopModule("shop"));
  assert.equal(process.inspector, null);
});

test("a module with permissions, a program, and one that does not run have no inspector", async () => {
  const t = await tree();
  const client = await t.client();
  const errorOf = async (name: string) => (await t.ends(client.inspect(name, true))).error;
  assert.equal(
    await errorOf("reader"),
    'Cannot inspect "reader": it has permissions, and who inspects a process can do what they deny',
  );
  assert.equal(
    await errorOf("server"),
    'Cannot inspect "server": it is a program in another language, only JavaScript modules can be inspected',
  );
  await t.ends(t.core.stopModule("shop"));
  assert.equal(await errorOf("shop"), 'Cannot inspect "shop": it is stopped');
  await assert.rejects(t.ends(client.inspect("shopp", true)), UnknownModuleError);
  assert.deepEqual(said(t), []);
});

test("a runtime without an inspector says why, and a process that is blocked is given up after 5 s", async () => {
  const t = await tree();
  const client = await t.client();
  t.process("shop").openInspector = () => Promise.reject(new Error("Inspector is not available"));
  assert.equal((await t.ends(client.inspect("shop", true))).error, 'Cannot inspect "shop": Inspector is not available');
  t.process("shop").openInspector = () => new Promise<never>(() => {});
  const asked = client.inspect("shop", true);
  await t.rest(5_000);
  assert.equal(
    (await t.ends(asked)).error,
    'Cannot inspect "shop": it has not answered in 5s, its code blocks it',
  );
});
