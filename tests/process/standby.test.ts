import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { isAlive, TestBroker } from "./broker_of.ts";

test("standby: kill -9 of a module's process lets a process that was kept ready take its place, cleaned as any other", async () => {
  await using test = await TestBroker.start({ standby: 1 });
  const ready = async () => (await test.broker.status()).standby[0]?.pid;
  await test.until(async () => await ready() !== undefined);
  const kept = await ready();
  const old = await test.pidOf("sla");
  process.kill(old, "SIGKILL");
  await test.until(async () => (await test.broker.status()).modules.some(({ pid }) => pid === kept));
  const info = await test.broker.call("sla", "get_report", ["2021-10"]);
  assert.ok(info !== undefined);
  assert.equal(await test.pidOf("sla"), kept);
  const receipts = test.records.filter(({ event, pid }) => event === "cleanup.receipt" && pid === kept);
  const first = test.records.find(({ event, pid }) => event === "cleanup.receipt" && pid === old);
  const released = receipts.map(({ fields }) => fields).map((fields) => "released" in fields ? fields.released : null);
  assert.deepEqual(released, [first !== undefined && "released" in first.fields ? first.fields.released : null]);
  assert.equal(test.records.filter(({ event, pid }) => event === "cleanup.done" && pid === kept).length, 1);
  await test.until(async () => ![undefined, kept].includes(await ready()));
  const next = await ready();
  await test.broker.stop();
  assert.equal(await isAlive(next ?? 0), false);
  assert.deepEqual(test.lines(/^standby/), []);
});
