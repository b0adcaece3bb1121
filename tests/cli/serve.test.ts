import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CancellationTokenSource, ProgressType, ResponseError } from "vscode-jsonrpc/node.js";
import { command, fixture, inSandbox } from "./cli_process.ts";
import { type Served, whileServed } from "./served.ts";

function lines(requests: readonly object[]): string {
  return requests.map((request) => `${JSON.stringify({ jsonrpc: "2.0", ...request })}\n`).join("");
}

function answers(stdout: string): unknown[] {
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function untilLogged(served: Served, text: string): Promise<void> {
  while (!served.stderr.includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("serve answers vscode-jsonrpc: parameters by position and by name, results, and what the module prints is not in the way", async () => {
  await whileServed("chatty.js", async (served) => {
    const client = served.client();
    assert.deepEqual(await client.sendRequest("echo", 1, "é\n🙂", null), [1, "é\n🙂", null]);
    assert.equal(await client.sendRequest("greet", { name: "you" }), "Hello you");
    assert.equal(await client.sendRequest("nothing"), null);
    assert.equal(await client.sendRequest("count", "up"), 30);
    client.end();
    assert.deepEqual(await served.ended, { code: 0, signal: null });
    assert.match(served.stderr, /greeting you/);
    assert.match(served.stderr, /forged/);
  });
});

test("serve gives vscode-jsonrpc the error's code, and its class, stack and data", async () => {
  await whileServed("chatty.js", async (served) => {
    const client = served.client();
    const failure = async (method: string, ...params: unknown[]): Promise<ResponseError<Record<string, unknown>>> => {
      try {
        await client.sendRequest(method, ...params);
      } catch (error) {
        if (error instanceof ResponseError) return error;
      }
      throw new Error(`${method} did not fail as it should`);
    };
    const crash = await failure("crash", "bang");
    assert.deepEqual([crash.code, crash.message], [-32000, "bang"]);
    const { code, name, data, stack } = crash.data ?? {};
    assert.deepEqual([code, name, data], ["REMOTE", "TypeError", { lucky: 7 }]);
    assert.match(String(stack), /chatty\.js/);
    const unknown = await failure("ecko");
    assert.deepEqual([unknown.code, unknown.data], [-32601, { code: "UNKNOWN_COMMAND", nearest: "echo" }]);
    const gone = await failure("exit", 3);
    assert.deepEqual([gone.code, gone.data?.["code"], gone.data?.["exitCode"]], [-32000, "GONE", 3]);
    assert.deepEqual(await client.sendRequest("echo", "again"), ["again"]);
    client.end();
    assert.equal((await served.ended).code, 0);
  });
});

test("serve cancels the call whose request vscode-jsonrpc cancels", async () => {
  await whileServed("chatty.js", async (served) => {
    const client = served.client();
    const source = new CancellationTokenSource();
    await client.sendRequest("echo");
    const call = client.sendRequest("until_cancelled", source.token);
    source.cancel();
    await assert.rejects(call, (error) => error instanceof ResponseError && error.code === -32800);
    client.end();
    assert.equal((await served.ended).code, 0);
  });
});

test("serve runs the command of a notification and answers nothing; a notification of a protocol is ignored", async () => {
  await whileServed("chatty.js", async (served) => {
    const client = served.client();
    await client.sendNotification("told", "a secret");
    await client.sendNotification("$/setTrace", { value: "off" });
    assert.deepEqual(await client.sendRequest("echo", 1), [1]);
    await untilLogged(served, "was told a secret");
    client.end();
    assert.equal((await served.ended).code, 0);
    assert.doesNotMatch(served.stderr, /setTrace/);
  });
});

test("serve answers everything that was asked before the end of its input, then exits with 0", async () => {
  await whileServed("chatty.js", async (served) => {
    const stdout = await served.say(
      lines([{ id: 1, method: "slow", params: [200] }, { id: "two", method: "echo", params: [] }]) + "rubbish\n" +
        '[{"jsonrpc":"2.0","id":3,"method":"echo","params":[3]},{"jsonrpc":"2.0","id":4,"method":"echo"},5]\n',
    );
    assert.deepEqual(answers(stdout), [
      { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } },
      { jsonrpc: "2.0", id: "two", result: [] },
      [
        { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid Request" } },
        { jsonrpc: "2.0", id: 3, result: [3] },
        { jsonrpc: "2.0", id: 4, result: [] },
      ],
      { jsonrpc: "2.0", id: 1, result: "answered" },
    ]);
    assert.deepEqual(await served.ended, { code: 0, signal: null });
  });
});

test("serve --framing content-length answers the first message in that framing", async () => {
  await whileServed("chatty.js", async (served) => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"echo","params":["é"]}';
    const stdout = await served.say(`\r\nContent-Length: ${new TextEncoder().encode(body).length}\r\n\r\n${body}`);
    assert.equal(stdout, 'Content-Length: 40\r\n\r\n{"jsonrpc":"2.0","id":1,"result":["é"]}');
  }, ["--framing", "content-length"]);
});

test("serve --timeout ends a command that takes longer, and says so", async () => {
  await whileServed("chatty.js", async (served) => {
    const stdout = await served.say(lines([{ id: 1, method: "slow", params: [60_000] }]));
    assert.deepEqual(answers(stdout), [{
      jsonrpc: "2.0",
      id: 1,
      error: {
        code: -32000,
        message: 'Cannot call command "slow" of module "chatty": timeout (0.1s): module "chatty" is slow, 2 attempts',
        data: { code: "TIMEOUT", timeoutMs: 100, peer: "slow" },
      },
    }]);
  }, ["--timeout", "100ms"]);
});

test("serve tells the progress of a command in the form that the request asks for, before its answer", async () => {
  await whileServed("chatty.js", async (served) => {
    const stdout = await served.say(lines([
      { id: 1, method: "steps", params: { _meta: { progressToken: "t" } } },
    ]));
    const told = (params: object) => ({ jsonrpc: "2.0", method: "notifications/progress", params });
    assert.deepEqual(answers(stdout), [
      told({ progressToken: "t", progress: 1 }),
      told({ progressToken: "t", progress: 2, total: 4, message: "half" }),
      told({ progressToken: "t", progress: 3, message: "nearly" }),
      told({ progressToken: "t", progress: 4, message: '{"left":1}' }),
      { jsonrpc: "2.0", id: 1, result: 0 },
    ]);
  });
  await whileServed("chatty.js", async (served) => {
    const client = served.client();
    const values: unknown[] = [];
    client.onProgress(new ProgressType<unknown>(), "w", (value) => values.push(value));
    assert.equal(await client.sendRequest("steps", { workDoneToken: "w", kept: 1 }), 1);
    assert.deepEqual(values, [1, { progress: 2, total: 4, message: "half" }, "nearly", { left: 1 }]);
    // Nobody asked: nothing but the answer.
    assert.equal(await client.sendRequest("steps", 1, 2), 2);
    assert.equal(values.length, 4);
    client.end();
    assert.equal((await served.ended).code, 0);
  });
});

test("serve answers a command that yields with an error that says so", async () => {
  await whileServed("chatty.js", async (served) => {
    const [answer] = answers(await served.say(lines([{ id: 1, method: "items" }])));
    const { error } = answer as { error: { code: number; message: string } };
    assert.deepEqual([error.code, error.message], [
      -32000,
      "the command yields its result, use stream() instead of call()",
    ]);
  });
});

test("serve drains on SIGTERM: the call that runs is answered, and the exit code is 0", async () => {
  await whileServed("chatty.js", async (served) => {
    const client = served.client();
    assert.deepEqual(await client.sendRequest("echo"), []);
    const slow = client.sendRequest("slow", 300);
    assert.deepEqual(await client.sendRequest("echo"), []);
    served.kill("SIGTERM");
    assert.equal(await slow, "answered");
    assert.equal((await served.ended).code, 0);
  });
});

test("serve of a module that cannot start answers what was asked with the reason, and exits with 5", async () => {
  await whileServed("broken.js", async (served) => {
    const client = served.client();
    const call = client.sendRequest("echo", 1);
    await assert.rejects(call, (error) => error instanceof ResponseError && error.data?.code === "GONE");
    assert.equal((await served.ended).code, 5);
    assert.match(served.stderr, /no database/);
  });
});

test("serve of a file that is not there, or that exports no module, is a mistake of usage", async () => {
  await inSandbox(async (sandbox) => {
    const missing = await sandbox.run(["serve", "missing.js"]);
    assert.deepEqual([missing.code, missing.stdout], [2, ""]);
    assert.match(missing.stderr, /Cannot serve "missing.js": it does not exist, correct its path/);
    const folder = await sandbox.run(["serve", "."]);
    assert.deepEqual([folder.code, folder.stdout], [2, ""]);
    assert.equal(folder.stderr, 'Cannot serve ".": it must be a module\'s file, and it is not a file\n');
  });
});

test("serve of a file that can't be loaded names the file, and where its syntax error is", async () => {
  await inSandbox(async (sandbox) => {
    writeFileSync(join(sandbox.folder, "bad.mjs"), "export default {\n  name: 5 5,\n};\n");
    const bad = await sandbox.run(["serve", "bad.mjs"]);
    assert.deepEqual([bad.code, bad.stdout], [2, ""]);
    assert.match(bad.stderr, /^bad\.mjs:2:\d+: Cannot serve "bad\.mjs": .+\n$/);
    writeFileSync(join(sandbox.folder, "imports.mjs"), 'import "./bad.mjs";\nexport default { name: "imports" };\n');
    const imports = await sandbox.run(["serve", "imports.mjs"]);
    assert.match(imports.stderr, /^bad\.mjs:2:\d+: Cannot serve "imports\.mjs": .+\n$/);
    writeFileSync(join(sandbox.folder, "throws.mjs"), 'throw new Error("no disk");\n');
    const throws = await sandbox.run(["serve", "throws.mjs"]);
    assert.deepEqual([throws.code, throws.stderr], [2, 'Cannot serve "throws.mjs": no disk\n']);
  });
});

test("serve whose answers can't be written says why and ends with exit code 1", {
  skip: existsSync("/dev/full") ? false : "this system has no /dev/full",
}, () => {
  const full = openSync("/dev/full", "w");
  try {
    const [executable = "", ...first] = command;
    const { status, stderr } = spawnSync(executable, [...first, "serve", fixture("serve/chatty.js")], {
      stdio: ["pipe", full, "pipe"],
      input: lines([{ id: 1, method: "count", params: ["up"] }]),
      encoding: "utf8",
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /\nCannot write to standard output: ENOSPC: .*; make room on its file system\n$/);
  } finally {
    closeSync(full);
  }
});
