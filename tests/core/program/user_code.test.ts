import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeProgram } from "./fake_program.ts";

const MCP = { protocol: "mcp" } as const;

function fail(): never {
  throw new Error("mine");
}

test("onProgress that throws is an uncaught error, and the link to the program stays", async () => {
  const program = await FakeProgram.ready(MCP);
  for (let id = 2; id < 7; id++) {
    const call = program.call("long", [], { onProgress: fail });
    await program.runtime.clock.advance(0);
    await program.says({ method: "notifications/progress", params: { progressToken: id, progress: 1 } });
    const errors = await program.runtime.clock.uncaught();
    assert.deepEqual(errors.map(String), ["Error: mine"]);
    await program.says({ id, result: "done" });
    await program.runtime.clock.advance(0);
    assert.equal(await call, "done");
  }
  assert.deepEqual(program.counters.counts().ok, 5);
  assert.deepEqual([program.signals, program.events], [[], ["ready"]]);
});

test("progress that can't be passed on is left out, and the program keeps its connection", async () => {
  const program = await FakeProgram.ready(MCP);
  const seen: unknown[] = [];
  const call = program.call("long", [], { onProgress: (value) => seen.push(value) });
  await program.runtime.clock.advance(0);
  const deep = `${"[".repeat(2_000)}${"]".repeat(2_000)}`;
  const params = `{"progressToken":2,"progress":1,"deep":${deep}}`;
  await program.prints(`{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}\n`);
  await program.says({ method: "notifications/progress", params: { progressToken: 2, progress: 2 } });
  await program.says({ id: 2, result: "done" });
  assert.deepEqual(await program.runtime.clock.uncaught(), []);
  assert.equal(await call, "done");
  assert.deepEqual(seen, [{ progress: 2 }]);
  assert.deepEqual(program.signals, []);
});

/** What has a JSON form the first so many times that it is asked for it. */
function first(times: number): object {
  let asked = 0;
  return { toJSON: () => asked++ < times ? { first: true } : fail() };
}

/** What a handler of the program's requests does, and what the program gets. */
const HANDLERS: Record<string, [() => unknown, object]> = {
  "throws": [fail, { error: { code: -32603, message: "mine" } }],
  "rejects": [() => Promise.reject(new Error("mine")), { error: { code: -32603, message: "mine" } }],
  "gives a value with a getter that throws": [
    () => Object.defineProperty({}, "a", { get: fail, enumerable: true }),
    { error: { code: -32603, message: "mine" } },
  ],
  "gives a Proxy that throws": [() => new Proxy({}, { ownKeys: fail }), { error: { code: -32603, message: "mine" } }],
  "gives what has a JSON form only once": [() => first(1), { result: { first: true } }],
  "throws an error whose data has a form only once": [
    // The first one is for the line.
    () => Promise.reject(Object.assign(new Error("mine"), { code: 5, data: first(2) })),
    { error: { code: 5, message: "mine", data: { first: true } } },
  ],
  "throws an error whose data can't be written": [
    () => Promise.reject(Object.assign(new Error("mine"), { code: 5, data: { toJSON: fail } })),
    { error: { code: 5, message: "mine" } },
  ],
  "throws what can't be read": [
    () => Promise.reject(new Proxy(new Error("mine"), { get: fail })),
    { error: { code: -32603, message: "an error that cannot be read" } },
  ],
};

for (const [what, [handler, answer]] of Object.entries(HANDLERS)) {
  test(`a handler of requests that ${what} answers its request, and the next one is answered too`, async () => {
    const program = await FakeProgram.ready({ ...MCP, requests: { mine: handler, next: () => "next" } });
    await program.says({ id: "a", method: "mine" });
    await program.says({ id: "b", method: "next" });
    assert.deepEqual(program.takes(), [
      { jsonrpc: "2.0", id: "a", ...answer },
      { jsonrpc: "2.0", id: "b", result: "next" },
    ]);
    assert.deepEqual(await program.runtime.clock.uncaught(), []);
    assert.deepEqual(program.signals, []);
  });
}

test("a handler that never settles, or calls the program again, holds up nobody", async () => {
  const program: FakeProgram = await FakeProgram.ready({
    ...MCP,
    requests: {
      forever: () => new Promise(() => {}),
      again: () => program.call("inner"),
    },
    notifications: { forever: () => new Promise(() => {}), rejects: () => Promise.reject(new Error("mine")) },
  });
  await program.says({ id: "a", method: "forever" });
  await program.says({ method: "forever" });
  await program.says({ method: "rejects" });
  await program.says({ id: "b", method: "again" });
  const [inner] = program.takes();
  assert.equal(inner?.method, "inner");
  await program.says({ id: inner?.id, result: 7 });
  assert.deepEqual(program.takes(), [{ jsonrpc: "2.0", id: "b", result: 7 }]);
  assert.deepEqual(program.reported("module.error"), [
    { text: 'the handler of notification "rejects" failed: Error: mine' },
  ]);
});
