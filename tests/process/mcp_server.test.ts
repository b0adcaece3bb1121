import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { CallCancelledError, defineProgram, ProcessGoneError, RemoteError } from "brokkr";
import { isAlive, TestBroker } from "./broker_of.ts";
import { EVERYTHING } from "./program_files.ts";

const OPTIONS = { timeout: 60_000 };
const PATIENT = { timeoutMs: 30_000 };

const everything = defineProgram({ name: "everything", command: EVERYTHING, protocol: "mcp" });
const withRoots = defineProgram({
  name: "everything",
  command: EVERYTHING,
  protocol: "mcp",
  requests: { "roots/list": () => ({ roots: [{ uri: "file:///tmp/brokkr-root", name: "a root" }] }) },
});
interface ToolResult {
  readonly content: readonly { readonly text: string }[];
}

function textOf(result: unknown): string {
  return (result as ToolResult).content.map(({ text }) => text).join("\n");
}

test("an MCP server is initialized, lists its tools, echoes, and ends with its input", OPTIONS, async () => {
  const test = await TestBroker.start({ modules: [everything] });
  const { broker } = test;
  try {
    const greeting = await broker.call(everything, "initialize") as { serverInfo: { name: string } };
    assert.equal(greeting.serverInfo.name, "mcp-servers/everything");
    const { tools } = await broker.call(everything, "tools/list", [], PATIENT) as { tools: { name: string }[] };
    assert.ok(tools.some(({ name }) => name === "echo"));
    const echo = await broker.call(everything, "tools/call", [{ name: "echo", arguments: { message: "é" } }], PATIENT);
    assert.equal(textOf(echo), "Echo: é");
    await assert.rejects(broker.call(everything, "no/such", [], PATIENT), (error) => {
      assert.ok(error instanceof RemoteError);
      assert.deepEqual([error.message, error.data], ["Method not found", { code: -32601 }]);
      return true;
    });
    assert.ok(test.lines(/process\.output/).some((line) => line.includes("Starting default (STDIO) server")));
    const { modules: [status] } = await broker.status();
    assert.deepEqual([status?.state, status?.calls.ok, status?.calls.error, status?.cleanup], ["ready", 3, 1, null]);
  } finally {
    await broker.stop();
  }
  assert.ok(
    test.lines(/process\.exited/).some((line) => line.includes("everything ended as asked")),
    test.lines(/./).join("\n"),
  );
});

test("an MCP server asks for the roots that a handler gives, and its notifications are events", OPTIONS, async () => {
  await using test = await TestBroker.start({ modules: [withRoots] });
  const { broker } = test;
  const methods = new Set<string>();
  const stop = broker.on("program.notification", ({ fields }) => methods.add(fields.method));
  // It asks after it was initialized, by itself; what it was told is what this tool shows.
  await test.until(async () => {
    const { tools } = await broker.call(withRoots, "tools/list", [], PATIENT) as { tools: { name: string }[] };
    return tools.some(({ name }) => name === "get-roots-list");
  });
  await test.until(async () => {
    const roots = await broker.call(withRoots, "tools/call", [{ name: "get-roots-list" }], PATIENT);
    return textOf(roots).includes("file:///tmp/brokkr-root");
  });
  await broker.call(withRoots, "logging/setLevel", [{ level: "debug" }], PATIENT);
  await broker.notify(withRoots, "notifications/roots/list_changed");
  await test.until(() => methods.has("notifications/message"));
  stop();
});

test("progress of an MCP server keeps its call alive, and a cancelled one is given up", OPTIONS, async () => {
  await using test = await TestBroker.start({ modules: [everything] });
  const { broker } = test;
  const long = (duration: number) => [{ name: "trigger-long-running-operation", arguments: { duration, steps: 3 } }];
  const progress: unknown[] = [];
  const onProgress = (value: unknown) => progress.push(value);
  const done = await broker.call(everything, "tools/call", long(1.5), { timeoutMs: 1_400, onProgress });
  assert.match(textOf(done), /^Long running operation completed/);
  assert.deepEqual(progress, [1, 2, 3].map((step) => ({ progress: step, total: 3 })));

  const controller = new AbortController();
  const { signal } = controller;
  const call = broker.call(everything, "tools/call", long(3_000), {
    ...PATIENT,
    signal,
    onProgress: () => controller.abort(),
  });
  setTimeout(() => controller.abort(), 300);
  await assert.rejects(call, CallCancelledError);
  const { modules: [status] } = await broker.status();
  assert.equal(status?.calls.cancelled, 1);
  const echo = await broker.call(everything, "tools/call", [{ name: "echo", arguments: { message: "a" } }], PATIENT);
  assert.equal(textOf(echo), "Echo: a");
});

test(
  "an MCP server that is killed fails its call as gone, is started and initialized again, and answers",
  OPTIONS,
  async () => {
    await using test = await TestBroker.start({ modules: [everything] });
    const { broker } = test;
    const pid = await test.pidOf("everything");
    const call = broker.call(everything, "tools/call", [
      { name: "trigger-long-running-operation", arguments: { duration: 3_000, steps: 1 } },
    ], PATIENT);
    // The call is under way when the program has answered another one that came after it.
    await broker.call(everything, "ping", [], PATIENT);
    process.kill(pid, "SIGKILL");
    await assert.rejects(call, (error) => error instanceof ProcessGoneError && error.signal === "SIGKILL");
    const echo = await broker.call(everything, "tools/call", [{ name: "echo", arguments: { message: "b" } }], PATIENT);
    assert.equal(textOf(echo), "Echo: b");
    assert.notEqual(await test.pidOf("everything"), pid);
    assert.equal(await isAlive(pid), false);
    const { modules: [status] } = await broker.status();
    assert.deepEqual([status?.restarts, status?.calls.error], [1, 1]);
  },
);

test("an MCP server gets no environment variable that a module claims, and its own ones", OPTIONS, async () => {
  const [theirs, own] = ["BROKKR_TEST_THEIRS", "BROKKR_TEST_OWN"];
  Object.assign(process.env, { [theirs]: "secret", [own]: "public" });
  try {
    const server = defineProgram({ name: "everything", command: EVERYTHING, protocol: "mcp", env: [own] });
    const claims = { name: "claims", env: [theirs] };
    // Not started: only what it claims matters.
    await using test = await TestBroker.start({
      modules: [server, { ...claims, command: ["/no/such"], restart: "never" }],
    });
    const env = textOf(await test.broker.call(server, "tools/call", [{ name: "get-env" }], PATIENT));
    assert.match(env, /"BROKKR_TEST_OWN": "public"/);
    assert.doesNotMatch(env, /BROKKR_TEST_THEIRS|secret/);
    assert.match(env, /"BROKKR_ROLE": "\{\\"depth\\":1/);
  } finally {
    delete process.env[theirs];
    delete process.env[own];
  }
});
