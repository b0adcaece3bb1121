import assert from "node:assert/strict";
import { test } from "node:test";
import { app, bad, first } from "../fixtures/cleanup/modules.ts";
import { TestBroker } from "./broker_of.ts";

const FIXTURE = { program: new URL("../fixtures/cleanup/program.ts", import.meta.url), modules: [first, bad, app] };

test("what a module owns goes at its own stop, last first and each once, whatever one of them throws", async () => {
  const t = await TestBroker.start(FIXTURE);
  try {
    await t.broker.call(app, "seen");
  } finally {
    await t.broker.stop();
  }
  const said = t.records.filter(({ event, module }) => event.startsWith("module.") && module === "app")
    .map(({ event, fields }) => [event, "text" in fields && fields.text]);
  assert.deepEqual(said, [
    ["module.error", "stop: OwnedError: b"],
    ["module.error", "stop: OwnedError: a"],
    ["module.info", "app owned first, after last"],
  ]);
});

test("what was disposed of before the stop is forgotten, however much there was", async () => {
  const t = await TestBroker.start(FIXTURE);
  try {
    assert.equal(await t.broker.call(app, "sockets", [1000]), 1000);
  } finally {
    await t.broker.stop();
  }
  const texts = t.records.map(({ fields }) => "text" in fields ? fields.text : "");
  assert.ok(texts.includes(`app owned first, after ${"short,".repeat(1000)}last`));
});
