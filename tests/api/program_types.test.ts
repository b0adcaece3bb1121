/**
 * Types of events, and of programs in any language. What is in functions named `types…` is only compiled: `@ts-expect-error` fails the check where a line that
 * must not compile does.
 */

import type { Broker, LogRecord } from "brokkr";
import { defineProgram } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Equal, same } from "./same.ts";

function typesOfEvents(broker: Broker) {
  broker.on("call.retry", (record) => same<Equal<typeof record.time, number>>());
  broker.on("*", (record: LogRecord) => void record.lines());
  broker.on("call.answered", ({ fields }) => same<Equal<typeof fields.ms, number>>());
  // @ts-expect-error the event has no such field
  broker.on("call.answered", ({ fields }) => void fields.delayMs);
  // @ts-expect-error there is no such event
  broker.on("call.retried", () => {});
}

/** A program whose methods are known, and one of which nothing is. */
const server = defineProgram<{ "textDocument/hover": (params: { uri: string }) => { text: string } | null }>({
  name: "server",
  command: ["server"],
  requests: { "roots/list": (params: { all: boolean }) => params.all },
  notifications: { told: (params) => same<Equal<typeof params, unknown>>() },
});
const anything = defineProgram({ name: "anything", command: ["anything"] });

async function typesOfPrograms(broker: Broker): Promise<void> {
  const hover = await broker.call(server, "textDocument/hover", [{ uri: "a" }]);
  same<Equal<typeof hover, { text: string } | null>>();
  // @ts-expect-error there is no such method
  await broker.call(server, "textDocument/hoover", []);
  const result = await broker.call(anything, "any/method", [{ a: 1 }, 2]);
  same<Equal<typeof result, unknown>>();
  await broker.notify(server, "textDocument/didOpen", [{}]);
  broker.on("program.notification", ({ fields }) => {
    same<Equal<typeof fields.params, unknown>>();
    same<Equal<typeof fields.method, string>>();
  });
}

test("the types of events and programs compile as this file says", () => {
  // The compiler has tested them; here is only proof that it saw them.
  assert.deepEqual([typesOfEvents, typesOfPrograms].map(({ length }) => length), [1, 1]);
  assert.deepEqual([server, anything].map(({ name }) => name), ["server", "anything"]);
});
