import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import { MemoryTree, type MemoryTreeOptions } from "./memory_tree.ts";

const sla = defineModule({ name: "sla", commands: { get: () => "answered" }, restart: { delayMs: 0 } });

/** A broker of one module, whose processes that are kept ready are so. */
async function readyTree(standby: number, options: MemoryTreeOptions = {}, modules = [sla]): Promise<MemoryTree> {
  const tree = await MemoryTree.up(modules, { standby, ...options });
  await waiting(tree, standby);
  return tree;
}

async function pidsOf(tree: MemoryTree): Promise<number[]> {
  return (await tree.ends(tree.core.status())).standby.map(({ pid }) => pid);
}

/** Settles when so many processes are ready. */
async function waiting(tree: MemoryTree, count: number): Promise<number[]> {
  for (let turn = 0; turn < 100; turn++) {
    const pids = await pidsOf(tree);
    if (pids.length === count) return pids;
    await tree.rest();
  }
  throw new Error(`there are never ${count} processes that wait`);
}

async function crash(tree: MemoryTree, name: string): Promise<void> {
  tree.process(name).exit(3);
  await tree.rest();
}

async function pidOf(tree: MemoryTree): Promise<number | null | undefined> {
  const { modules: [module] } = await tree.ends(tree.core.status());
  return module?.pid;
}

const LOST = /^standby\.lost$/;

test("standby: a restart takes the process that was kept ready, whose lines are those of a start, and another one takes its place", async () => {
  const tree = await readyTree(1);
  const [kept] = await pidsOf(tree);
  await crash(tree, "sla");
  assert.equal(await tree.ends(tree.core.call("sla", "get")), "answered");
  assert.equal(await pidOf(tree), kept);
  const lines = tree.lines(/^(process\.(starting|ready)|cleanup\.(start|done))$/).slice(4);
  assert.deepEqual(lines.map((line) => line.replace(/[\d.]+s/, "TIME")), [
    "INFO : [ sla ] [ PROCESS ] [ MainThread ] sla is starting (generation 2)",
    `INFO : [ sla ] [ CLEAN AFTER FORK ] [ pid:${kept} ] cleanup is starting`,
    `INFO : [ sla ] [ CLEAN AFTER FORK ] [ pid:${kept} ] cleanup done in TIME`,
    `INFO : [ sla ] [ PROCESS ] [ MainThread ] sla is ready after TIME (pid ${kept})`,
  ]);
  assert.deepEqual(await pidsOf(tree), []);
  await tree.rest(100);
  const [next] = await waiting(tree, 1);
  assert.notEqual(next, kept);
  await tree.ends(tree.core.stop());
});

test("standby: none is kept where modules run in the broker's own process", async () => {
  const tree = await MemoryTree.up([sla], { standby: 1, inProcess: true });
  await tree.rest(1_000);
  assert.throws(() => tree.process(""), /no process/);
  await tree.ends(tree.core.stop());
});

test("standby: none is there by default, and none outlives the broker", async () => {
  const none = await MemoryTree.up([sla]);
  await none.rest(1_000);
  assert.deepEqual(await pidsOf(none), []);
  const tree = await readyTree(2);
  const last = tree.process("");
  await tree.ends(tree.core.stop());
  assert.deepEqual(await last.exited, { code: 0, signal: null });
  assert.deepEqual(await pidsOf(tree), []);
  assert.deepEqual(tree.lines(LOST), []);
});

test("standby: two configurations that come at once keep as many ready as the last one says, and no other process", async () => {
  const tree = await MemoryTree.up([sla]);
  const plan = { ...tree.core.plan, standby: 1 };
  await tree.ends(Promise.all([1, 2].map(() => tree.core.follow(plan, { load: null }))));
  const [kept] = await waiting(tree, 1);
  assert.equal(kept, tree.process("sla").pid + 1);
  assert.equal(tree.process("").pid, kept);
  await tree.ends(tree.core.stop());
});

test("standby: one that ends is reported, and the pause before the next one doubles while they do not last", async () => {
  const tree = await readyTree(1);
  for (const [delayMs, seconds] of [[1_000, "1s"], [2_000, "2s"], [4_000, "4s"]] as const) {
    const [pid] = await pidsOf(tree);
    await crash(tree, "");
    await tree.rest(250);
    assert.equal(
      tree.lines(LOST).at(-1),
      `WARNING : [ broker-master ] [ PROCESS ] [ MainThread ] A standby process is lost (pid ${pid}), ` +
        `the next one starts in ${seconds}: process exited with code 3`,
    );
    await tree.rest(delayMs - 251);
    assert.deepEqual(await pidsOf(tree), []);
    await tree.rest(1);
    await waiting(tree, 1);
  }
  await tree.rest(10_000);
  await crash(tree, "");
  await tree.rest(250);
  assert.match(tree.lines(LOST).at(-1) ?? "", /starts in 1s:/);
  await tree.ends(tree.core.stop());
});

test("standby: those that end with the broker, by a signal to all of its processes, are not reported", async () => {
  const tree = await readyTree(1);
  await crash(tree, "");
  await tree.ends(tree.core.stop());
  await tree.rest(5_000);
  assert.deepEqual(tree.lines(LOST), []);
});

test("standby: one that does not answer when it is taken is replaced by a new process", async () => {
  const tree = await readyTree(1);
  const [kept] = await pidsOf(tree);
  tree.process("").parent?.block();
  await crash(tree, "sla");
  await tree.rest(999);
  assert.deepEqual(tree.lines(LOST), []);
  await tree.rest(1);
  assert.equal(await tree.ends(tree.core.call("sla", "get")), "answered");
  assert.notEqual(await pidOf(tree), kept);
  await tree.rest(250);
  assert.match(tree.lines(LOST)[0] ?? "", new RegExp(`lost \\(pid ${kept}\\), .*: it did not answer in 1s$`));
  await tree.ends(tree.core.stop());
});

test("standby: a restart or reload by hand of a program takes none that had loaded it before, and keeps new ones ready", async () => {
  for (const action of ["restart", "reload"] as const) {
    const tree = await readyTree(1);
    const [kept] = await pidsOf(tree);
    await tree.ends<unknown>(tree.core[action]("sla"));
    assert.notEqual(await pidOf(tree), kept);
    await tree.rest(100);
    assert.notDeepEqual(await waiting(tree, 1), [kept]);
    await tree.ends(tree.core.stop());
    assert.deepEqual(tree.lines(LOST), []);
  }
});

for (
  const [what, settings] of [
    ["has a variable that a runtime reads at its start", { env: { NODE_EXTRA_CA_CERTS: "ca.pem" } }],
    ["claims a variable that a runtime reads at its start", { env: ["LC_ALL"] }],
    ["has a variable that the program may have read", { env: { DEBUG: "*" } }],
    ["has a folder in which the program may have read files", { cwd: "/srv" }],
    ["has flags of the runtime", { runtimeArgs: ["--max-old-space-size=64"] }],
  ] as const
) {
  test(`standby: a module that ${what} starts in a new process`, async () => {
    const tree = await readyTree(1, { settings: { sla: settings } });
    const [kept] = await pidsOf(tree);
    await crash(tree, "sla");
    assert.equal(await tree.ends(tree.core.call("sla", "get")), "answered");
    assert.notEqual(await pidOf(tree), kept);
    assert.deepEqual(await pidsOf(tree), [kept]);
    await tree.ends(tree.core.stop());
  });
}

test("standby: a process that holds too much memory is replaced by one that was kept ready", async () => {
  const large = defineModule({
    name: "sla",
    commands: { get: () => "answered" },
    memory: { recycleBytes: 100, checkMs: 1_000 },
  });
  const tree = await readyTree(1, {}, [large]);
  const [kept] = await pidsOf(tree);
  await tree.rest(1_000);
  for (let turn = 0; turn < 20 && await pidOf(tree) !== kept; turn++) await tree.rest(100);
  assert.equal(await pidOf(tree), kept);
  assert.equal(await tree.ends(tree.core.call("sla", "get")), "answered");
  await tree.ends(tree.core.stop());
});
