import assert from "node:assert/strict";
import { test } from "node:test";
import { defineProgram } from "brokkr";
import { TestBroker } from "./broker_of.ts";
import { tsserver, TYPESCRIPT_SERVER } from "./program_files.ts";

const OPTIONS = { timeout: 60_000 };
const PATIENT = { timeoutMs: 30_000 };

test("a language server shows what stands under the cursor, and ends by shutdown and exit", OPTIONS, async () => {
  const server = defineProgram<{ "textDocument/hover": (params: object) => { contents: { value: string } } }>({
    name: "typescript",
    command: TYPESCRIPT_SERVER,
    protocol: "lsp",
    initialize: {
      initializationOptions: { tsserver: { path: tsserver() }, disableAutomaticTypingAcquisition: true },
    },
  });
  const test = await TestBroker.start({ modules: [server] });
  const { broker } = test;
  try {
    const uri = "untitled:small.ts";
    const text = "const answer: number = 42;\nconsole.log(answer);\n";
    await broker.notify(server, "textDocument/didOpen", [
      { textDocument: { uri, languageId: "typescript", version: 1, text } },
    ]);
    const position = { line: 1, character: 13 };
    const hover = await broker.call(server, "textDocument/hover", [{ textDocument: { uri }, position }], PATIENT);
    assert.match(hover.contents.value, /const answer: number/);
    assert.ok(test.records.some(({ event }) => event === "program.notification"));
  } finally {
    await broker.stop();
  }
  const [exited] = test.records.filter(({ event }) => event === "process.exited");
  assert.match(exited?.lines().join("") ?? "", /ended as asked \(pid \d+, exit code 0/);
});
