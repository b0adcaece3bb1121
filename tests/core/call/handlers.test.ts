import assert from "node:assert/strict";
import { test } from "node:test";
import { UnknownCommandError } from "../../../src/core/faults.ts";
import { callLine, Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

for (
  const [command, nearest] of [
    ["__proto__", null],
    ["constructor", null],
    ["toString", null],
    ["then", null],
    ["hasOwnProperty", null],
    ["get_modul_info", "get_module_info"],
    ["GET_MODULE_INFO", "get_module_info"],
    ["", null],
    ["a]\nERROR : forged", null],
  ] as const
) {
  test(`command ${JSON.stringify(command)} is unknown`, async () => {
    const c = new Conversation({ get_module_info: () => 1 });
    const error = await rejection(c.call(command));
    assert.ok(error instanceof UnknownCommandError, String(error));
    const { name, code, message } = error;
    const hint = nearest === null ? "" : `, did you mean "${nearest}"`;
    assert.deepEqual({ name, code, command: error.command, nearest: error.nearest, message }, {
      name: "UnknownCommandError",
      code: "UNKNOWN_COMMAND",
      command,
      nearest,
      message: `Cannot call command "${command}" of module "Livestatus": unknown command${hint}`,
    });
    const shown = command.replace("]\n", "\\u005d\\n");
    assert.deepEqual(c.received.lines(), [callLine("WARNING", `Received unknown command [${shown}] to execute !`)]);
    assert.deepEqual(c.sent.lines(), [
      callLine(
        "ERROR",
        `Failed to send command call [${shown}] for module Livestatus because of error: unknown command`,
      ),
    ]);
    assert.deepEqual(c.counts(), { error: 1 });
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("handler gets its parameters spread and the call's context as this", async () => {
  const seen: unknown[] = [];
  const c = new Conversation({
    look(this: { id: number; attempt: number; caller: string; signal: AbortSignal }, ...params: unknown[]) {
      seen.push(this.id, this.attempt, this.caller, this.signal.aborted, params);
    },
  });
  assert.equal(await c.call("look", [1, "two", { three: [3] }]), undefined);
  assert.deepEqual(seen, [1, 1, "broker-master", false, [1, "two", { three: [3] }]]);
  assert.deepEqual(c.received.lines(), [
    callLine("DEBUG", 'Executing command [look] with param [1,"two",{"three":[3]}]'),
  ]);
});

test("handler's thenable is awaited, and one whose then throws rejects the call", async () => {
  const c = new Conversation({
    thenable: () => ({ then: (resolve: (value: string) => void) => resolve("then") }),
    fail: () => ({
      then() {
        throw new Error("no then");
      },
    }),
    trap: () => ({
      get then() {
        throw new Error("no getter");
      },
    }),
  });
  assert.equal(await c.call("thenable"), "then");
  assert.match(String(await rejection(c.call("fail"))), /no then/);
  assert.match(String(await rejection(c.call("trap"))), /no getter/);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});
