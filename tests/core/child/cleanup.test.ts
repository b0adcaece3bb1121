import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { clean, DONE, noted, START } from "./cleaning.ts";

test("cleanAfterFork() cleans the other modules, last declared first: the hook, then what it owns, in order", async () => {
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(what);
  const later = (what: string) => async () => {
    await Promise.resolve();
    seen.push(what);
  };
  const modules = [
    defineModule({ name: "first", afterForkCleanup: note("first hook") }),
    defineModule({ name: "Livestatus", afterForkCleanup: note("own hook"), owns: [note("own resource")] }),
    defineModule({ name: "idle" }),
    defineModule({ name: "last", afterForkCleanup: later("last hook"), owns: [later("a"), { close: note("b") }] }),
  ];
  const { lines, receipt, timers } = await clean(modules);
  assert.deepEqual(seen, ["last hook", "a", "b", "first hook"]);
  assert.deepEqual(lines, [START, DONE]);
  assert.deepEqual([receipt.released, receipt.errors], [["last", "first"], 0]);
  assert.equal(timers, 0);
});

test("cleanAfterFork() writes its pair of lines without any hook", async () => {
  const { lines, timers } = await clean([defineModule({ name: "Livestatus" })]);
  assert.deepEqual(lines, [START, DONE]);
  assert.equal(timers, 0);
});

test("cleanAfterFork() collects nothing and reads its figures once where no other module is in the process", async () => {
  const runtime = new FakeRuntime();
  const read = runtime.memory.bind(runtime);
  let reads = 0;
  runtime.memory = () => {
    reads++;
    return read();
  };
  const alone = defineModule({ name: "Livestatus", afterForkCleanup() {}, owns: [() => {}], env: ["OWN"] });
  const { receipt } = await clean([alone], { runtime });
  assert.deepEqual([runtime.collected, reads, receipt.after], [0, 1, receipt.before]);
  assert.equal(receipt.before.privateBytes, 200);
  const idle = defineModule({ name: "idle" });
  await clean([alone, idle], { runtime });
  assert.deepEqual([runtime.collected, reads], [1, 3]);
});

test("cleanAfterFork() leaves alone what the module of the process has from the same definition", async () => {
  const calls: string[] = [];
  const shared = [() => calls.push("owned")];
  const shop = { owns: shared, afterForkCleanup: () => calls.push("hook") };
  const [eu, us] = ["Livestatus", "us"].map((name) => defineModule({ name, ...shop }));
  assert.ok(eu !== undefined && us !== undefined);
  const { receipt } = await clean([eu, us]);
  assert.deepEqual([calls, receipt.released], [[], []]);
  const other = defineModule({ name: "other", owns: [...shared, () => calls.push("other's")] });
  await clean([eu, us, other]);
  assert.deepEqual(calls, ["other's"]);
});

test("cleanAfterFork() releases once what two other modules have from the same definition", async () => {
  const calls: string[] = [];
  const pool = { end: () => void calls.push("end") };
  const shop = { commands: {}, owns: [pool], afterForkCleanup: () => void calls.push("hook") };
  const modules = ["Livestatus", "eu", "us"].map((name) =>
    defineModule(name === "Livestatus" ? { name } : { name, ...shop })
  );
  const { receipt, lines } = await clean(modules);
  assert.deepEqual([calls, receipt.released, lines], [["hook", "end"], ["us", "eu"], [START, DONE]]);
});

test("cleanAfterFork() runs a function that is the hook of two modules for each of them", async () => {
  const calls: unknown[] = [];
  function afterForkCleanup(this: { readonly name: string }) {
    calls.push(this.name);
  }
  for (const own of [() => ({}), () => ({ commands: {} })]) {
    const modules = ["sla", "web"].map((name) => defineModule({ name, afterForkCleanup, ...own() }));
    await clean([defineModule({ name: "Livestatus" }), ...modules]);
  }
  assert.deepEqual(calls, ["web", "sla", "web", "sla"]);
});

test("cleanAfterFork() collects in the only module's worker where that has a hook for it", async () => {
  const runtime = new FakeRuntime();
  const workers = { count: 1, commands: {} };
  await clean([defineModule({ name: "Livestatus", workers })], { worker: 1, runtime });
  assert.equal(runtime.collected, 0);
  const hooked = defineModule({ name: "Livestatus", workers: { ...workers, afterForkCleanup() {} } });
  await clean([hooked], { runtime });
  assert.equal(runtime.collected, 0);
  await clean([hooked], { worker: 1, runtime });
  assert.equal(runtime.collected, 1);
});

test("cleanAfterFork() says whose cleanup begins before it calls anything of it, and when the last is over", async () => {
  const seen: string[] = [];
  const { told } = await clean(noted([
    { name: "sla", owns: [() => void seen.push("sla")] },
    { name: "idle" },
    { name: "last", afterForkCleanup: () => void seen.push("last") },
  ]));
  assert.deepEqual(told, ["last", "sla", null]);
  assert.deepEqual(seen, ["last", "sla"]);
});

test("what the hook has disposed of is not disposed of again, and what it filled again is", async () => {
  const seen: string[] = [];
  const noting = { [Symbol.dispose]: () => void seen.push("by symbol") };
  const stream = {
    destroyed: false,
    destroy() {
      this.destroyed = true;
      seen.push("stream");
    },
  };
  const cache = { clear: () => void seen.push("cache") };
  const afterForkCleanup = () => {
    noting[Symbol.dispose]();
    stream.destroy();
    cache.clear();
  };
  await clean(noted([{ name: "sla", afterForkCleanup, owns: [noting, stream, cache, cache] }]));
  assert.deepEqual(seen, ["by symbol", "stream", "cache", "cache"]);
});
