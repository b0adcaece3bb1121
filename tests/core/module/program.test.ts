import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule, defineProgram, type ProgramDefinition } from "brokkr";
import { anyModule, checkOptions } from "../../../src/core/broker/options.ts";

test("defineProgram() gives a module with the program's plan, and 60 s for its start", () => {
  const { name, program, definition } = anyModule(defineProgram({ name: "a", command: ["x", "y"], restart: "always" }));
  assert.deepEqual([name, program?.command, program?.protocol, program?.framing], [
    "a",
    ["x", "y"],
    "json-rpc",
    "newline",
  ]);
  assert.deepEqual([definition.restart, definition.startTimeoutMs], ["always", 60_000]);
  const unset = { name: "a", command: ["x"], startTimeoutMs: undefined };
  assert.equal(anyModule(unset as unknown as ProgramDefinition).definition.startTimeoutMs, 60_000);
  assert.equal(
    anyModule(defineProgram({ name: "a", command: ["x"], protocol: "lsp" })).program?.framing,
    "content-length",
  );
  assert.equal(
    anyModule(defineProgram({ name: "a", command: ["x"], framing: "content-length" })).program?.framing,
    "content-length",
  );
});

test("defineProgram() refuses what contradicts itself, and names the part", () => {
  const refused = (definition: object): string => {
    try {
      defineProgram({ name: "a", command: ["x"], ...definition } as ProgramDefinition);
      return "taken";
    } catch (error) {
      return error instanceof TypeError ? error.message : String(error);
    }
  };
  assert.deepEqual(
    [
      { name: "a b" },
      { command: [] },
      { command: ["npx"], args: ["-y"] },
      { command: ["x", 1] },
      { command: ["x\0"] },
      { protocol: "mpc" },
      { protocol: "mcp", framing: "newline" },
      { framing: "lines" },
      { initialize: {} },
      { protocol: "none", framing: "newline" },
      { protocol: "none", queue: 5 },
      { protocol: "none", ready: {} },
      { protocol: "none", ready: { tcp: "a:1", http: "http://a" } },
      { protocol: "none", ready: { tcp: "localhost" } },
      { protocol: "none", ready: { tcp: "localhost:65536" } },
      { protocol: "none", ready: { tcp: "localhost:0" } },
      { protocol: "none", ready: { http: "http://a:70000/up" } },
      { protocol: "none", ready: { http: "http:///up" } },
      { protocol: "none", ready: { tcp: "[::1]:65535" } },
      { protocol: "none", ready: { http: "http://sla:p:w@[::1]:65535/up?a=b#c" } },
      { protocol: "none", ready: { http: "https://xn--bcher-kva.example?up" } },
      { protocol: "none", ready: { htp: "http://a" } },
      { ready: { tcp: "a:1" } },
      { protocol: "mcp", initialize: [] },
      { protocol: "mcp", initialize: new Map() },
      { requests: { a: 1 } },
      { requests: new Map([["a", () => 1]]) },
      { notifications: [] },
      { commands: {} },
      { comand: ["x"] },
      { restart: "sometimes" },
    ].map(refused),
    [
      'The name of a program must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "a b"',
      'Program "a": command must be an executable, or a list of it and its arguments, and it is a list',
      'Program "a": args is for a command that is the executable alone, add it to the list',
      'Program "a": command must be an executable, or a list of it and its arguments, and it is a list',
      'Program "a": command must be an executable, or a list of it and its arguments, and it is a list',
      'Program "a": protocol must be one of json-rpc, mcp, lsp, none, and it is "mpc"',
      'Program "a": framing is set by protocol "mcp", remove it',
      'Program "a": framing must be "newline" or "content-length", and it is "lines"',
      'Program "a": initialize needs protocol "mcp" or "lsp", and it is "json-rpc"',
      'Program "a": framing is for programs that take calls, and protocol "none" takes none: remove it',
      'Program "a": queue is for programs that take calls, and protocol "none" takes none: remove it',
      'Program "a": ready must have either tcp or http',
      'Program "a": ready must have either tcp or http',
      'Program "a": ready.tcp must be a host and a port such as "127.0.0.1:5432", and it is "localhost"',
      'Program "a": ready.tcp must be a host and a port such as "127.0.0.1:5432", and it is "localhost:65536"',
      'Program "a": ready.tcp must be a host and a port such as "127.0.0.1:5432", and it is "localhost:0"',
      'Program "a": ready.http must be a URL such as "http://127.0.0.1:8080/health", and it is "http://a:70000/up"',
      'Program "a": ready.http must be a URL such as "http://127.0.0.1:8080/health", and it is "http:///up"',
      "taken",
      "taken",
      "taken",
      'Program "a": ready: unknown key "htp": did you mean "http"',
      'Program "a": ready is for protocol "none" only, remove it',
      'Program "a": initialize must be an object, and it is a list',
      'Program "a": initialize must be a plain object, and it is a Map',
      'Program "a": requests: "a" must be a function, and it is 1',
      'Program "a": requests must be a plain object, and it is a Map',
      'Program "a": notifications must be an object, and it is a list',
      'Program "a": commands is for JavaScript modules only, remove it or "command"',
      'Program "a": unknown key "comand": did you mean "command"',
      'Program "a": restart must be "always", "on-failure" or "never", and it is "sometimes"',
    ],
  );
});

test("a broker takes programs beside modules, plain objects too, and refuses equal names", () => {
  const module = defineModule({ name: "sla" });
  const { modules } = checkOptions({ name: "b", modules: [module, { name: "py", command: ["python3"] }] });
  assert.deepEqual(modules.map(({ module }) => module.program?.command), [undefined, ["python3"]]);
  assert.throws(() => checkOptions({ name: "b", modules: [module, { name: "sla", command: ["x"] }] }), /"sla"/);
});

test("defineProgram() refuses what is no object by a sentence", () => {
  for (const [value, shown] of [[undefined, "undefined"], [null, "null"], [["x"], "a list"]]) {
    assert.throws(
      () => Reflect.apply(defineProgram, undefined, [value]),
      new TypeError(`A program must be an object, and it is ${shown}`),
    );
  }
});
