import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { clean, DONE, noted, START } from "./cleaning.ts";

test("worker also calls its own module's workers.afterForkCleanup, and not its module's hook; the module's process does neither", async () => {
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(what);
  const modules = [
    defineModule({ name: "sla", afterForkCleanup: note("sla") }),
    defineModule({
      name: "Livestatus",
      afterForkCleanup: note("own hook"),
      workers: { count: 1, commands: {}, afterForkCleanup: note("workers' hook") },
    }),
  ];
  const { lines, receipt } = await clean(modules, { worker: 1 });
  assert.deepEqual(seen, ["workers' hook", "sla"]);
  assert.deepEqual(lines, [START, DONE].map((line) => line.replace("[ Livestatus ]", "[ Livestatus-1 ]")));
  assert.deepEqual(receipt.released, ["Livestatus", "sla"]);
  seen.length = 0;
  await clean(modules);
  assert.deepEqual(seen, ["sla"]);
});

test("environment variables that only others claimed are gone, those of both and of nobody stay", async () => {
  const runtime = new FakeRuntime({ SLA: "1", BOTH: "2", OWN: "3", PATH: "4" });
  const modules = [
    defineModule({ name: "sla", env: ["SLA", "BOTH", "NOT_THERE"] }),
    defineModule({ name: "Livestatus", env: ["OWN", "BOTH"] }),
  ];
  await clean(modules, { runtime });
  assert.deepEqual(runtime.env.variables, { BOTH: "2", OWN: "3", PATH: "4" });
});

test("receipt has the figures from before and after the collection, and nulls where the system can't tell", async () => {
  const runtime = new FakeRuntime();
  const before = { pssBytes: 314572800, privateBytes: 209715200, heapBytes: 104857600, openFiles: 30 };
  const after = { pssBytes: 1048576, privateBytes: null, heapBytes: 0, openFiles: 3 };
  runtime.figures = [before, after];
  runtime.openHandles = () => Promise.resolve([{ kind: "timer", count: 1 }]);
  const modules = noted([{ name: "sla", owns: [() => {}] }, {
    name: "bad",
    afterForkCleanup: () => Promise.reject(1),
  }]);
  const { receipt, reporter } = await clean(modules, { runtime });
  const each = [{ name: "bad", ms: 0, error: "1" }, { name: "sla", ms: 0, error: null }];
  assert.deepEqual(receipt, {
    ms: 0,
    released: ["sla"],
    errors: 1,
    modules: each,
    leftovers: [{ kind: "timer", count: 1 }],
    before,
    after,
  });
  assert.equal(runtime.collected, 1);
  assert.deepEqual(reporter.ids(), ["cleanup.start", "cleanup.error", "cleanup.done", "cleanup.receipt"]);
  assert.match(
    reporter.lines().at(-1) ?? "",
    /Released 1 modules \[sla\] in 0\.000s, errors 1, PSS 300\.0 MiB to 1\.0 MiB, private memory 200\.0 MiB to unknown, heap 100\.0 MiB to 0\.0 MiB, open files 30 to 3, each \[bad 0\.000s, sla 0\.000s\], left over \[1 × timer\]$/,
  );
});

test("receipt gives each module its own milliseconds and every message of what failed", async () => {
  const runtime = new FakeRuntime();
  const wait = (ms: number, error?: Error) => () =>
    new Promise<void>((resolve, reject) =>
      runtime.clock.timer(ms, error === undefined ? resolve : () => reject(error))
    );
  const { receipt } = await clean(
    noted([
      { name: "first", afterForkCleanup: wait(20) },
      { name: "sla", afterForkCleanup: wait(100, new Error("no host")), owns: [wait(30, new Error("no pool"))] },
      { name: "idle" },
    ]),
    { runtime, advance: 1000 },
  );
  assert.deepEqual(receipt.modules, [
    { name: "sla", ms: 130, error: "no host; no pool" },
    { name: "first", ms: 20, error: null },
  ]);
  assert.equal(receipt.ms, 150);
});

test("durations of a cleanup stay right while the wall clock jumps", async () => {
  const runtime = new FakeRuntime();
  runtime.clock.wallOffset = 3_600_000;
  const hook = () =>
    new Promise<void>((resolve) => {
      runtime.clock.wallOffset = -3_600_000;
      runtime.clock.timer(143, resolve);
    });
  const { receipt, lines } = await clean(noted([{ name: "sla", afterForkCleanup: hook }]), { runtime, advance: 1000 });
  assert.deepEqual([receipt.ms, receipt.modules[0]?.ms], [143, 143]);
  assert.deepEqual(lines, [START, DONE.replace("0.000s", "0.143s")]);
});
