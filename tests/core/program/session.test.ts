import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCancelledError, CallTimeoutError, RemoteError } from "../../../src/core/faults.ts";
import { settle } from "../manual_clock.ts";
import { FakeProgram } from "./fake_program.ts";

const MCP = { protocol: "mcp" } as const;
const LSP = { protocol: "lsp" } as const;

test("an MCP server is ready after the initialize exchange, and calls wait until then", async () => {
  const program = new FakeProgram({
    ...MCP,
    initialize: { clientInfo: { name: "mine", version: "1" } },
    requests: { "roots/list": () => ({ roots: [] }), "my/own": () => null },
  });
  const call = program.call("tools/list");
  await program.start();
  assert.deepEqual(program.takes(), [{
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: { roots: {} },
      clientInfo: { name: "mine", version: "1" },
    },
  }]);
  assert.deepEqual(program.events, []);
  await program.says({ id: 1, result: { serverInfo: { name: "fake" } } });
  assert.deepEqual(program.events, ["ready"]);
  assert.deepEqual(program.takes(), [
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: 2, method: "tools/list", params: { _meta: { progressToken: 2 } } },
  ]);
  await program.says({ id: 2, result: { tools: [] } });
  assert.deepEqual(await call, { tools: [] });
  assert.deepEqual(program.counters.counts().ok, 1);
});

test("a call of initialize gets what the program said at its start, and asks nobody again", async () => {
  const program = await FakeProgram.ready(LSP);
  assert.deepEqual(await program.call("initialize"), { serverInfo: { name: "fake" } });
  assert.deepEqual(program.takes(), []);
});

test("a language server is told who its client is, and a plain program nothing", async () => {
  const server = new FakeProgram({ ...LSP, initialize: { rootUri: "file:///a" } });
  await server.start();
  const [{ params } = {}] = server.takes();
  assert.deepEqual(params, {
    processId: 29341,
    clientInfo: { name: "brokkr", version: (params as { clientInfo: { version: string } }).clientInfo.version },
    rootUri: "file:///a",
    capabilities: {},
  });
  const plain = new FakeProgram();
  await plain.start();
  assert.deepEqual(plain.takes(), []);
  assert.deepEqual(plain.events, ["ready"]);
});

test("a program that refuses initialize is killed, with its reason", async () => {
  const program = new FakeProgram(MCP);
  await program.start();
  await program.says({ id: 1, error: { code: -32602, message: "Unsupported protocol version" } });
  assert.deepEqual(program.signals, ["SIGKILL"]);
  await program.exits({ code: null, signal: "SIGKILL" });
  assert.deepEqual(program.ends.map(({ why, wasReady }) => [why, wasReady]), [
    ["initialize failed: Unsupported protocol version", false],
  ]);
});

test("one object travels by name, other parameters as a list, none are left out", async () => {
  const program = await FakeProgram.ready();
  const shapes: unknown[][] = [[{ a: 1 }], [1, { a: 1 }], [[1]], ["x"], [null], []];
  for (const shape of shapes) void program.call("m", shape);
  await settle();
  assert.deepEqual(program.takes().map(({ params }) => params), [
    { a: 1 },
    [1, { a: 1 }],
    [[1]],
    ["x"],
    [null],
    undefined,
  ]);
});

test("a request that the program never answers is counted as a timeout alone, and takes its place no longer", async () => {
  const program = await FakeProgram.ready();
  const unanswered = program.call("silent");
  await program.runtime.clock.advance(1_000);
  await assert.rejects(unanswered, CallTimeoutError);
  await program.runtime.clock.advance(3_500);
  const next = program.call("next", [], { timeoutMs: 60_000 });
  await program.runtime.clock.advance(10_000);
  assert.deepEqual(program.takes().map(({ method }) => method), ["silent", "$/cancelRequest", "next"]);
  await program.says({ id: 2, result: "here" });
  assert.equal(await next, "here");
  const { ok, timeout, late, duplicate } = program.counters.counts();
  assert.deepEqual({ ok, timeout, late, duplicate }, { ok: 1, timeout: 1, late: 0, duplicate: 0 });
  assert.deepEqual(program.reported("call.another-answer"), []);
  assert.deepEqual(program.reported("answer.late"), []);
});

test("an answer that comes after its time is late", async () => {
  const program = await FakeProgram.ready();
  const timedOut = program.call("slow");
  await program.runtime.clock.advance(1_000);
  await assert.rejects(timedOut, CallTimeoutError);
  await program.says({ id: 1, result: "late" });
  const { timeout, late } = program.counters.counts();
  assert.deepEqual({ timeout, late }, { timeout: 1, late: 1 });
});

test("an error answer is a RemoteError with code and data; a name and a traceback in the data are the remote ones", async () => {
  const program = await FakeProgram.ready();
  const traceback = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: bang\n';
  const failures = [
    { code: -32602, message: "no such tool" },
    { code: -32000, message: "bang", data: { name: "ValueError", traceback } },
    { code: 7, message: "", data: [1] },
  ];
  const caught: unknown[] = [];
  for (const [index, error] of failures.entries()) {
    const call = program.call("m");
    await settle();
    await program.says({ id: index + 1, error });
    caught.push(await call.catch((error) => error));
  }
  assert.deepEqual(
    caught.map((error) => {
      assert.ok(error instanceof RemoteError);
      return [error.message, error.remoteName, error.remoteStack, error.data];
    }),
    [
      ["no such tool", "JsonRpcError", "", { code: -32602 }],
      ["bang", "ValueError", traceback, { code: -32000, data: { name: "ValueError", traceback } }],
      ["", "JsonRpcError", "", { code: 7, data: [1] }],
    ],
  );
  assert.deepEqual(program.reporter.ids(), ["call.error", "call.error", "call.error"]);
  const prefix = "ERROR : [ broker-master ] [ everything ] [ COMMAND CALL ] [ PID:29341 ] [ MainThread ] ";
  assert.deepEqual(program.reporter.lines().slice(1, 6), [
    `${prefix}Failed to send command call [m] for module everything because of error: no such tool`,
    ...traceback.trimEnd().split("\n").map((line) => prefix + line),
    `${prefix}Failed to send command call [m] for module everything because of error: bang`,
  ]);
  assert.equal(program.counters.counts().error, 3);
});

for (
  const [what, error, message] of [
    ["a text", "boom", "boom"],
    ["a number", 7, "7"],
    ["an object without a message", { reason: "boom" }, '{"reason":"boom"}'],
    ["an empty list", [], "[]"],
  ] as const
) {
  test(`an error answer that is ${what} is told by what it is`, async () => {
    const program = await FakeProgram.ready();
    const call = program.call("m");
    await settle();
    await program.says({ id: 1, error });
    await assert.rejects(call, { name: "RemoteError", message, data: { code: -32603 } });
    assert.ok(program.reporter.lines().at(-1)?.endsWith(`because of error: ${message}`));
  });
}

test("a handler of the program's requests that throws an error without a message is told by the error's class", async () => {
  const program = await FakeProgram.ready({
    requests: {
      ask() {
        throw new RangeError();
      },
    },
  });
  await program.says({ id: 1, method: "ask" });
  assert.deepEqual(program.reported("module.error"), [{ text: 'the handler of request "ask" failed: RangeError' }]);
});

test("a call that timed out is cancelled in the program, is never sent again, and its late answer reaches nobody", async () => {
  const program = await FakeProgram.ready(MCP);
  const call = program.call("slow", [], { retry: "never" });
  await settle();
  program.takes();
  await program.runtime.clock.advance(500);
  assert.deepEqual(program.takes().map(({ method }) => method), ["ping"]);
  await program.runtime.clock.advance(500);
  await assert.rejects(call, (error) => error instanceof CallTimeoutError && error.peer === "blocked");
  assert.deepEqual(program.takes(), [
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2, reason: "nobody waits for it" } },
  ]);
  await program.says({ id: 2, result: "late" });
  assert.deepEqual(program.counters.counts().late, 1);
});

test("a timeout says slow where the program answers the ping of its protocol", async () => {
  const program = await FakeProgram.ready(LSP);
  const call = program.call("textDocument/hover", [{}]);
  await program.runtime.clock.advance(500);
  const ping = program.takes().find(({ method }) => method === "$/ping");
  await program.says({ id: ping?.id, error: { code: -32601, message: "Unhandled method $/ping" } });
  await program.runtime.clock.advance(500);
  await assert.rejects(call, (error) => error instanceof CallTimeoutError && error.peer === "slow");
});

test("a cancelled call is cancelled in the program, and acknowledged where the program answers", async () => {
  const program = await FakeProgram.ready(LSP);
  const controller = new AbortController();
  const call = program.call("long", [], { signal: controller.signal });
  await settle();
  program.takes();
  controller.abort();
  await settle();
  assert.deepEqual(program.takes(), [{ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: 2 } }]);
  await program.says({ id: 2, error: { code: -32800, message: "Request cancelled" } });
  await assert.rejects(call, (error) => error instanceof CallCancelledError && error.acknowledged);
});

test("progress of an MCP server reaches onProgress, and gives the call its time anew", async () => {
  const program = await FakeProgram.ready(MCP);
  const progress: unknown[] = [];
  const call = program.call("long", [], { onProgress: (value) => progress.push(value) });
  await settle();
  for (const step of [1, 2, 3]) {
    await program.runtime.clock.advance(900);
    await program.says({ method: "notifications/progress", params: { progressToken: 2, progress: step, total: 3 } });
    await program.runtime.clock.advance(0);
  }
  await program.says({ id: 2, result: "done" });
  await program.runtime.clock.advance(0);
  assert.equal(await call, "done");
  assert.deepEqual(progress, [1, 2, 3].map((step) => ({ progress: step, total: 3 })));
});

test("notifications of the program are events with their params, and go to their handlers; one that throws is named", async () => {
  const heard: unknown[] = [];
  const program = await FakeProgram.ready({
    ...MCP,
    notifications: {
      "notifications/message": (params) => heard.push(params),
      broken: () => {
        throw new TypeError("bang");
      },
    },
  });
  await program.says({ method: "notifications/message", params: { level: "info", data: "x" } });
  await program.says({ method: "broken" });
  assert.deepEqual(heard, [{ level: "info", data: "x" }]);
  assert.deepEqual(program.reported("program.notification"), [
    { process: "everything", method: "notifications/message", params: { level: "info", data: "x" } },
    { process: "everything", method: "broken", params: null },
  ]);
  assert.deepEqual(program.reported("module.error"), [
    { text: 'the handler of notification "broken" failed: TypeError: bang' },
  ]);
});

test("requests of the program are answered by their handlers, its ping by brokkr, all others by method not found", async () => {
  const program = await FakeProgram.ready({
    ...MCP,
    requests: {
      "sampling/createMessage": (params: { prompt: string }) => ({ text: params.prompt.toUpperCase() }),
      "roots/list": () => {
        throw Object.assign(new Error("no roots"), { code: -1, data: { why: "none" } });
      },
    },
  });
  await program.says({ id: "a", method: "sampling/createMessage", params: { prompt: "hi" } });
  await program.says({ id: "b", method: "roots/list" });
  await program.says({ id: "c", method: "ping" });
  await program.says({ id: "d", method: "elicitation/create", params: {} });
  assert.deepEqual(program.takes(), [
    { jsonrpc: "2.0", id: "a", result: { text: "HI" } },
    { jsonrpc: "2.0", id: "b", error: { code: -1, message: "no roots", data: { why: "none" } } },
    { jsonrpc: "2.0", id: "c", result: {} },
    { jsonrpc: "2.0", id: "d", error: { code: -32601, message: "Method not found: elicitation/create" } },
  ]);
});

test("what a program prints is captured, on both of its outputs, and is not taken for an answer", async () => {
  const program = await FakeProgram.ready();
  const call = program.call("m");
  await settle();
  await program.prints('loading…\n{"level":30,"msg":"x"}\n');
  program.complains("a warning\n");
  await program.says({ id: 1, result: 1 });
  assert.equal(await call, 1);
  assert.deepEqual(program.events, ["ready", "stdout loading…", 'stdout {"level":30,"msg":"x"}', "stderr a warning"]);
});

test("an answer to no request is dropped and named", async () => {
  const program = await FakeProgram.ready();
  await program.says({ id: 77, result: 1 });
  assert.deepEqual(program.events, ["ready", "dropped 1 answer to no request (id 77)"]);
});

test("a program no longer keeps others from their start when it asks for something, or waits longer than 2 s", async () => {
  const asking = new FakeProgram({ ...MCP, requests: { "roots/list": () => ({ roots: [] }) } });
  await asking.start();
  assert.equal(asking.cleaned, 0);
  await asking.says({ id: 1, method: "roots/list" });
  assert.equal(asking.cleaned, 1);
  const waiting = new FakeProgram(MCP);
  await waiting.start();
  await waiting.runtime.clock.advance(1_999);
  assert.equal(waiting.cleaned, 0);
  await waiting.runtime.clock.advance(1);
  assert.equal(waiting.cleaned, 1);
  await waiting.says({ id: 1, result: { serverInfo: { name: "fake" } } });
  assert.deepEqual(waiting.events, ["ready"]);
});

test("an MCP server that refuses ping is alive: a call that it is slow to answer is not called blocked", async () => {
  const program = await FakeProgram.ready(MCP);
  const call = program.call("tools/call");
  await program.runtime.clock.advance(500);
  program.session.ping?.();
  const refuse = async () => {
    for (const { id, method } of program.takes()) {
      if (method === "ping" && id !== undefined) {
        await program.says({ id, error: { code: -32601, message: "Method not found" } });
      }
    }
  };
  await settle();
  await refuse();
  assert.equal(program.events.at(-1), "alive");
  const rejected = assert.rejects(call, (error) => error instanceof CallTimeoutError && error.peer === "slow");
  for (let time = 0; time < 10; time++) {
    await program.runtime.clock.advance(100);
    await refuse();
  }
  await rejected;
});

test("what a program prints without a line end does not hide the message behind it", async () => {
  for (const printed of ["Starting server... ", "{ready} ", '{"level":"info"}', "\x1b[32mready\x1b[0m"]) {
    const program = new FakeProgram(MCP);
    await program.start();
    await program.prints(printed);
    await program.says({ id: 1, result: { serverInfo: { name: "{fake}" } } });
    assert.equal(program.events.at(-1), "ready", printed);
    assert.equal(program.events.length, 2);
    assert.ok(program.events[0]?.startsWith("stdout "));
    const call = program.call("tools/list");
    await settle();
    await program.prints("... ");
    await program.says({ id: 2, result: 7 });
    assert.equal(await call, 7);
    assert.equal(program.events.at(-1), "stdout ... ");
  }
});

test("a line of many braces is printed text, and is looked at in a bounded time", async () => {
  const program = await FakeProgram.ready();
  const braces = "{".repeat(100);
  await program.prints(`${braces}\n${"x".repeat(5_000)}{"jsonrpc":"2.0","id":1,"result":1}\n`);
  assert.deepEqual(program.events.slice(1).map((line) => line.slice(0, 20)), [
    `stdout ${braces.slice(0, 13)}`,
    `stdout ${"x".repeat(13)}`,
  ]);
});

for (
  const [protocol, method, params, example] of [
    ["mcp", "tools/call", ["echo", { message: "hi" }], '{ "name": "echo", "arguments": { "message": "hi" } }'],
    ["mcp", "resources/read", ["file:///a"], '{ "uri": "file:///notes.txt" }'],
    ["lsp", "textDocument/hover", [1, 2], '{ "textDocument": { "uri": "file:///main.ts" } }'],
  ] as const
) {
  test(`positional parameters of ${method} are refused with what to write, and never reach the ${protocol} server`, async () => {
    const program = await FakeProgram.ready({ protocol });
    const message =
      `Cannot call "${method}": ${protocol.toUpperCase()} takes its parameters by name and not by position, ` +
      `give one object such as ${example}`;
    const is = (error: unknown) => {
      assert.ok(error instanceof RemoteError);
      assert.deepEqual([error.remoteName, error.message], ["TypeError", message]);
      return true;
    };
    await assert.rejects(program.call(method, params), is);
    await assert.rejects(program.call(method, params, { wire: { notify: true, target: "everything" } }), is);
    assert.deepEqual(program.takes(), []);
    assert.deepEqual(program.counters.counts().error, 2);
    assert.equal(program.reporter.lines().filter((line) => line.endsWith(`because of error: ${message}`)).length, 2);
    // A program of JSON-RPC alone has parameters by position.
    const plain = await FakeProgram.ready();
    void plain.call(method, params);
    await settle();
    assert.deepEqual(plain.takes().map(({ params }) => params), [params]);
  });
}
