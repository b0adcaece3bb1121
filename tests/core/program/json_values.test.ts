import assert from "node:assert/strict";
import { test } from "node:test";
import { PayloadError } from "../../../src/core/faults.ts";
import { settle } from "../manual_clock.ts";
import { FakeProgram } from "./fake_program.ts";

const BYTES = 'is a Uint8Array, which JSON has no form for: write Buffer.from(x).toString("base64")';
const DEEP = "[".repeat(200_000) + "]".repeat(200_000);

for (
  const [what, value, why] of [
    ["bytes", { data: Uint8Array.of(104) }, `params[0].data ${BYTES}`],
    ["a Buffer", Buffer.from("h"), `params[0] ${BYTES}`],
    ["a Map", { rows: [new Map([["a", 1]])] }, "params[0].rows[0] is a Map"],
    ["a BigInt", [1n], "params[0][0] is a bigint"],
  ] as const
) {
  for (const notify of [false, true]) {
    test(`${notify ? "a notification" : "a call"} with ${what} never reaches a program, and says where and why`, async () => {
      const program = await FakeProgram.ready();
      const wire = notify ? { target: "everything", notify } : {};
      const call = program.call("m", [value], { wire });
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof PayloadError, String(error));
        assert.equal(error.reason, `params are not serializable: ${why}`);
        return true;
      });
      assert.deepEqual(program.takes(), []);
      assert.ok(program.reporter.lines().at(-1)?.endsWith(`because of error: params are not serializable: ${why}`));
      assert.equal(program.counters.counts().error, 1);
    });
  }
}

test("a call that waits for a program is refused when the program is there", async () => {
  const program = new FakeProgram();
  const call = program.call("m", [Uint8Array.of(1)]);
  const other = program.call("m", [1]);
  await program.start();
  await assert.rejects(call, PayloadError);
  assert.deepEqual(program.takes().map(({ params }) => params), [[1]]);
  await program.says({ id: 1, result: "fine" });
  assert.equal(await other, "fine");
});

for (
  const [what, result, message] of [
    ["bytes", { data: [Buffer.from("h")] }, `result.data[0] ${BYTES}`],
    ["a Map", new Map([["a", 1]]), "result is a Map"],
  ] as const
) {
  test(`a handler of requests that gives ${what} answers with an error, which is told, too`, async () => {
    const program = await FakeProgram.ready({ requests: { ask: () => result } });
    await program.says({ id: "a", method: "ask" });
    assert.deepEqual(program.takes(), [{ jsonrpc: "2.0", id: "a", error: { code: -32603, message } }]);
    assert.deepEqual(program.reported("module.error"), [
      { text: `the handler of request "ask" failed: NotSerializableError: ${message}` },
    ]);
  });
}

/** A list of so many levels. */
function nested(levels: number): unknown[] {
  let list: unknown[] = [];
  for (let level = 1; level < levels; level++) list = [list];
  return list;
}

test("a call whose parameters are nested as deep as any may be reaches the program", async () => {
  const program = await FakeProgram.ready();
  const call = program.call("m", [nested(999), 1]);
  await settle();
  const [request] = program.takes();
  assert.deepEqual(JSON.stringify(request?.["params"]), JSON.stringify([nested(999), 1]));
  await program.says({ id: 1, result: "fine" });
  assert.equal(await call, "fine");
});

for (
  const [what, ask, answer] of [
    ["gives a value", () => nested(1_000), { result: nested(1_000) }],
    ["throws data", () => Promise.reject(Object.assign(new Error("bad"), { data: nested(1_000) })), {
      error: { code: -32603, message: "bad", data: nested(1_000) },
    }],
  ] as const
) {
  test(`a handler of requests that ${what} nested as deep as any may be answers with it, in a batch too`, async () => {
    const program = await FakeProgram.ready({ requests: { ask } });
    await program.says({ id: "a", method: "ask" });
    await program.prints(`[{"jsonrpc":"2.0","id":"a","method":"ask"}]\n`);
    const whole = { jsonrpc: "2.0", id: "a", ...answer };
    assert.equal(JSON.stringify(program.takes()), JSON.stringify([whole, [whole]]));
  });
}

test("bytes in what a user wants of initialize end the start with the path", async () => {
  const program = new FakeProgram({ protocol: "mcp", initialize: { icon: Uint8Array.of(1) } });
  await program.start();
  assert.deepEqual(program.events, [`SIGKILL initialize failed: message.params.icon ${BYTES}`]);
});

test("a result of a program that is nested 200,000 deep is refused, and the next call is answered", async () => {
  const program = await FakeProgram.ready();
  const call = program.call("m");
  await settle();
  await program.prints(`{"jsonrpc":"2.0","id":1,"result":${DEEP}}\n`);
  await assert.rejects(call, { code: "PAYLOAD" });
  const next = program.call("m");
  await settle();
  await program.says({ id: 2, result: 1 });
  assert.equal(await next, 1);
});

for (const id of ['"id":5,', ""]) {
  test(`a ${id === "" ? "notification" : "request"} of a program that is nested 200,000 deep reaches no handler`, async () => {
    const got: unknown[] = [];
    const handlers = { deep: (params: unknown) => got.push(params) };
    const program = await FakeProgram.ready({ requests: handlers, notifications: handlers });
    await program.prints(`{"jsonrpc":"2.0",${id}"method":"deep","params":${DEEP}}\n`);
    assert.deepEqual(got, []);
    assert.deepEqual(program.events.slice(1), ["dropped 1 message nested deeper than 1010"]);
    const refused = { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid Request" } };
    assert.deepEqual(program.takes(), [refused]);
  });
}
