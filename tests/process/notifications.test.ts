import assert from "node:assert/strict";
import { test } from "node:test";
import { type Broker, defineProgram, RemoteError } from "brokkr";
import { TestBroker } from "./broker_of.ts";

/** Answers `seen` with the methods it got and whether each had an id, and nothing else. */
const listener = defineProgram({
  name: "listener",
  command: [
    "node",
    "-e",
    `const seen = [];
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method } = JSON.parse(line);
      if (method === "seen") console.log(JSON.stringify({ jsonrpc: "2.0", id, result: seen }));
      else seen.push([method, id !== undefined]);
    });`,
  ],
});

async function seen(broker: Broker): Promise<unknown> {
  return await broker.call(listener, "seen", [], { timeoutMs: 10_000 });
}

for (const command of ["tell", "worker_tell"]) {
  test(`ctx.notify() of ${command} reaches a program without an id, and is refused for a module`, {
    timeout: 60_000,
  }, async () => {
    const { livestatus, sla } = await import("../fixtures/broker/modules.ts");
    await using test = await TestBroker.start({ modules: [livestatus, sla, listener] });
    const { broker } = test;
    await broker.call("Livestatus", command, ["listener", "changed"], { timeoutMs: 10_000 });
    assert.deepEqual(await seen(broker), [["changed", false]]);
    await assert.rejects(broker.call("Livestatus", command, ["sla", "count_up"], { timeoutMs: 10_000 }), (error) => {
      assert.ok(error instanceof RemoteError, String(error));
      assert.equal(
        error.message,
        'Cannot notify module "sla" of "count_up": only programs of defineProgram take notifications',
      );
      return true;
    });
    assert.equal(await broker.call("sla", "count_up", [0]), 1);
  });
}
