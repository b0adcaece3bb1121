import { Broker, ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { PROGRAM, TestBroker } from "./broker_of.ts";
import { livestatus, sla } from "../fixtures/broker/modules.ts";
import { STARTS } from "../fixtures/broker/starts_modules.ts";

const ORDER = { Livestatus: { after: ["sla"] }, sla: { after: ["WebUI"] } };

/** Modules of one event in the order in which it came. */
function modulesOf(t: TestBroker, event: string): string[] {
  return t.records.filter((record) => record.event === event && record.module !== "broker-master")
    .flatMap(({ fields, module }) => "process" in fields && fields.process === module ? [module] : []);
}

test("modules start when those before them are ready, and stop in reverse", { timeout: 60_000 }, async () => {
  const t = await TestBroker.start({ settings: ORDER });
  const steps = t.records.filter(({ event }) => event === "process.starting" || event === "process.ready")
    .flatMap(({ event, fields, module }) =>
      "process" in fields && fields.process === module ? [`${module} ${event.slice("process.".length)}`] : []
    );
  assert.deepEqual(steps, [
    "WebUI starting",
    "WebUI ready",
    "sla starting",
    "sla ready",
    "Livestatus starting",
    "Livestatus ready",
  ]);
  assert.deepEqual((await t.broker.status()).modules.map(({ name }) => name), ["Livestatus", "sla", "WebUI"]);
  await t.broker.stop();
  assert.deepEqual(modulesOf(t, "process.stopped"), ["Livestatus", "sla", "WebUI"]);
});

test("what comes after a failed module is not started, says why, and starts with it", { timeout: 60_000 }, async () => {
  const t = await TestBroker.start({
    settings: { ...ORDER, WebUI: { cwd: "/nowhere/at/all", restart: "never" } },
  });
  try {
    const states = (await t.broker.status()).modules.map(({ state }) => state);
    assert.deepEqual(states, ["failed", "failed", "failed"]);
    assert.match(
      t.lines(/^process\.failed$/).join("\n"),
      /sla will not be started again: it starts after "WebUI", which/,
    );
    await assert.rejects(t.broker.call("sla", "size"), ProcessGoneError);
  } finally {
    await t.broker.stop();
  }
});

test("Broker.start() refuses modules that wait for each other, and names that nobody has", async () => {
  const start = (settings: Record<string, { after: string[] }>) =>
    Broker.start({ name: "x", modules: [livestatus, sla], program: PROGRAM, settings });
  await assert.rejects(start({ sla: { after: ["Livestatus"] }, Livestatus: { after: ["sla"] } }), {
    message: "modules wait for each other: Livestatus → sla → Livestatus",
  });
  await assert.rejects(
    start({ sla: { after: ["Livestatsu"] } }),
    /comes after "Livestatsu", which does not exist, did/,
  );
});

test("a module that the broker can't be without ends it when it has failed", { timeout: 60_000 }, async () => {
  const t = await TestBroker.start({ settings: { sla: { restart: { policy: "never", escalate: "stop-broker" } } } });
  await assert.rejects(t.broker.call("sla", "exit", [3]), ProcessGoneError);
  await t.until(() => t.records.at(-1)?.event === "broker.stopped");
  assert.equal(t.lines(/^process\.failed$/).length, 1);
  await assert.rejects(t.broker.call("WebUI", "history"), ProcessGoneError);
});

test(
  "startConcurrency processes start at once, workers among them, and a start hook may call a module that still waits",
  { timeout: 60_000 },
  async () => {
    const program = new URL("../fixtures/broker/starts.ts", import.meta.url);
    for (const startConcurrency of [1, 2]) {
      const t = await TestBroker.start({ modules: STARTS, program, startConcurrency });
      try {
        let [running, most] = [0, 0];
        const ready = [];
        for (const { event, module } of t.records) {
          if (event === "process.starting") running++;
          else if (event === "cleanup.done") running--;
          else if (event === "process.ready") ready.push(module);
          most = Math.max(most, running);
        }
        assert.deepEqual([most, running, ready.length], [startConcurrency, 0, 6]);
        assert.equal(await t.broker.call("caller", "heard"), "hello caller");
        await t.broker.reload();
        await t.broker.restart("crowd-2");
        const { modules } = await t.broker.status();
        assert.deepEqual(modules.flatMap(({ state, workers }) => [state, ...workers.map((worker) => worker.state)]), [
          ...["ready", "ready", "ready", "ready", "ready", "ready"],
        ]);
      } finally {
        await t.broker.stop();
      }
    }
  },
);
