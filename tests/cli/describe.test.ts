import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { descriptionText, schemaText } from "../../src/cli/answers.ts";
import { brokerConfig, inSandbox, type Sandbox } from "./cli_process.ts";

/** Answers each request with what it was given for it, one message a line, or with headers where it is a language server. */
const PROGRAM = `
const [, , protocol, answers] = process.argv;
const known = new Map(Object.entries(JSON.parse(answers)));
process.stdin.setEncoding("utf8").on("data", (text) => {
  for (const part of text.split(/Content-Length: .*\\r\\n\\r\\n|\\n/).filter((part) => part !== "")) {
    const { id, method, params } = JSON.parse(part);
    if (id === undefined) continue;
    const result = known.get(method + (params?.cursor ?? ""));
    const rest = result === undefined ? { error: { code: -32601, message: "Method not found" } } : { result };
    const answer = JSON.stringify({ jsonrpc: "2.0", id, ...rest });
    process.stdout.write(protocol === "lsp" ? "Content-Length: " + answer.length + "\\r\\n\\r\\n" + answer : answer + "\\n");
  }
});
`;

function configure(sandbox: Sandbox): void {
  writeFileSync(join(sandbox.folder, "program.mjs"), `import process from "node:process";${PROGRAM}`);
  const program = (protocol: string, answers: object) => ({
    command: [process.execPath, "program.mjs", protocol, JSON.stringify({ initialize: {}, ping: {}, ...answers })],
    protocol,
  });
  const schema = { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a"] };
  const method = { name: "add", params: [{ name: "a", required: true, schema: { type: "number" } }] };
  const modules = {
    tools: program("mcp", {
      "tools/list": { tools: [{ name: "sum", description: "Adds.\nMore.", inputSchema: schema }] },
    }),
    listed: program("json-rpc", { "rpc.discover": { methods: [{ ...method, summary: "Adds one" }] } }),
    silent: program("json-rpc", {}),
    language: program("lsp", { initialize: { capabilities: { hoverProvider: true, workspaceSymbolProvider: {} } } }),
  };
  writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "b", modules }));
}

test("brokkr describe shows the commands of modules, and those of one as JSON", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker(["run", brokerConfig]);
    const { code, stdout } = await sandbox.run(["describe"]);
    assert.equal(code, 0);
    const lines = stdout.split("\n");
    assert.deepEqual(lines.slice(0, 3), ["sla", "  echo(...params)", "  greet(name)"]);
    assert.deepEqual(lines.slice(-5), ["", "Livestatus", "  token()", "  count(state)", ""]);
    assert.ok(lines.includes("  count(to)  yields items: call it with --stream"), stdout);
    const one = JSON.parse((await sandbox.run(["describe", "Livestatus", "--json"])).stdout);
    const count = { name: "count", about: null, params: [{ name: "state", required: true, schema: {} }] };
    assert.deepEqual(one.modules.map(({ name, kind }: { name: string; kind: string }) => [name, kind]), [[
      "Livestatus",
      "module",
    ]]);
    assert.deepEqual(one.modules[0].commands[1], { ...count, result: {}, stream: false });
    const unknown = await sandbox.run(["describe", "slb"]);
    assert.deepEqual([unknown.code, unknown.stderr], [
      4,
      'Cannot describe "slb": the broker has nothing of that name, did you mean "sla"\n',
    ]);
    const { stdout: status } = await sandbox.run(["status", "--json"]);
    const { error, timeout } = JSON.parse(status).modules[0].calls;
    assert.deepEqual([error, timeout], [0, 0]);
  }));

test("brokkr call of a method that a program does not know says how to see what it knows", () =>
  inSandbox(async (sandbox) => {
    configure(sandbox);
    await sandbox.broker(["run"]);
    const { code, stderr } = await sandbox.run(["call", "tools", "sum", '{"a":1}']);
    assert.deepEqual([code, stderr], [
      1,
      'Command "sum" of module "tools" failed: JsonRpcError: Method not found; ' +
      'see what it can be called with by "brokkr describe tools"\n',
    ]);
  }));

test("brokkr describe shows the tools of MCP servers, and the methods of programs that tell them", () =>
  inSandbox(async (sandbox) => {
    configure(sandbox);
    await sandbox.broker(["run"]);
    const { code, stdout } = await sandbox.run(["describe"]);
    assert.deepEqual([code, stdout.split("\n")], [0, [
      "tools: an MCP server; call its tools as tools/call with { name, arguments }",
      "  sum(arguments: { a: number, b?: number })",
      "      Adds.",
      "",
      "listed: a JSON-RPC program",
      "  add(a: number)",
      "      Adds one",
      "",
      "silent: a JSON-RPC program",
      "  unknown: Method not found",
      "",
      "language: a language server",
      "  textDocument/hover(params)",
      "  workspace/symbol(params)",
      "",
    ]]);
  }));

test("brokkr describe reads all pages of an MCP server's tools, and says where a page leads back or is missing", () =>
  inSandbox(async (sandbox) => {
    configure(sandbox);
    const page = (name: string, nextCursor?: string) => ({ tools: [{ name, inputSchema: {} }], nextCursor });
    const server = (answers: object) => ({
      command: [process.execPath, "program.mjs", "mcp", JSON.stringify({ initialize: {}, ping: {}, ...answers })],
      protocol: "mcp",
    });
    const modules = {
      paged: server({ "tools/list": page("one", "2"), "tools/list2": page("two", "3"), "tools/list3": page("three") }),
      circle: server({ "tools/list": page("one", "2"), "tools/list2": page("two", "2") }),
      broken: server({ "tools/list": page("one", "2") }),
    };
    writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "b", modules }));
    await sandbox.broker(["run"]);
    const { code, stdout } = await sandbox.run(["describe"]);
    const kind = "an MCP server; call its tools as tools/call with { name, arguments }";
    assert.deepEqual([code, stdout.split("\n")], [0, [
      `paged: ${kind}`,
      ...["one", "two", "three"].map((name) => `  ${name}(arguments)`),
      "",
      `circle: ${kind}`,
      ...["one", "two"].map((name) => `  ${name}(arguments)`),
      '  incomplete: its tools/list repeats the cursor "2"',
      "",
      `broken: ${kind}`,
      "  one(arguments)",
      "  incomplete: Method not found",
      "",
    ]]);
  }));

test("brokkr describe ends with the exit code of its call where nothing is known of any module", () =>
  inSandbox(async (sandbox) => {
    configure(sandbox);
    await sandbox.broker(["run"]);
    const silent = await sandbox.run(["describe", "silent"]);
    assert.deepEqual([silent.code, silent.stdout], [1, "silent: a JSON-RPC program\n  unknown: Method not found\n"]);
    await sandbox.run(["stop", "tools"]);
    const gone = await sandbox.run(["describe", "tools", "--json"]);
    const [described] = JSON.parse(gone.stdout).modules;
    assert.deepEqual([gone.code, described.code, described.commands], [5, "GONE", []]);
    assert.match(described.error, /stopped/);
  }));

test("schemaText() writes a JSON Schema as TypeScript would", () => {
  const expected: readonly (readonly [schema: unknown, text: string])[] = [
    [{}, "any"],
    [true, "any"],
    [{ type: "string" }, "string"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ const: 1 }, "1"],
    [{ enum: ["a", 2] }, '"a" | 2'],
    [{ type: "array", items: { type: "number" } }, "number[]"],
    [{ type: "array", items: { enum: [1, 2] } }, "(1 | 2)[]"],
    [{ type: "array", prefixItems: [{ type: "string" }, {}] }, "[string, any]"],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "string | null"],
    [{ type: "object", properties: {} }, "{}"],
    [{ type: "object", properties: { a: { type: "number" }, b: {} }, required: ["a"] }, "{ a: number, b?: any }"],
    [{ type: "object" }, "object"],
  ];
  for (const [schema, text] of expected) assert.equal(schemaText(schema), text);
});

test("descriptionText() lets no name or text of a program forge a line or reach the terminal as a command", () => {
  const hostile = "\x1b]0;title\x07a\n  forged()";
  const [param, command] = [{ name: hostile, required: true, schema: { type: hostile } }, {
    name: hostile,
    about: "x\x1b[2J\r\ny",
  }];
  const commands = [{ ...command, params: [param], result: {}, stream: false }];
  const safe = "\\u001b]0;title\\u0007a\\n  forged()";
  assert.equal(
    descriptionText({ name: "m", kind: "mcp", commands, error: null }, false).split("\n").slice(1).join("\n"),
    `  ${safe}(${safe}: ${safe})\n      x\\u001b[2J\n`,
  );
  const failed = descriptionText({ name: "m", kind: "module", commands: [], error: hostile }, false);
  assert.equal(failed, `m\n  unknown: ${safe}\n`);
});
