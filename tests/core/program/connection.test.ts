import assert from "node:assert/strict";
import { test } from "node:test";
import { UnansweredError } from "../../../src/core/call/server.ts";
import { ConnectionClosedError } from "../../../src/core/program/connection.ts";
import { LSP_CONVENTIONS, MCP_CONVENTIONS } from "../../../src/core/program/protocols.ts";
import { JsonRpcError } from "../../../src/core/program/message.ts";
import { settle } from "../manual_clock.ts";
import { Peer } from "./peer.ts";

test("request() resolves with the result of its own id, whatever the order of the answers", async () => {
  const peer = new Peer();
  const [one, other] = [peer.connection.request("a", undefined), peer.connection.request("b", [1, 2])];
  assert.deepEqual(await peer.sees(), [
    '{"jsonrpc":"2.0","id":1,"method":"a"}\n',
    '{"jsonrpc":"2.0","id":2,"method":"b","params":[1,2]}\n',
  ]);
  await peer.says('{"jsonrpc":"2.0","id":2,"result":"of b"}\n{"jsonrpc":"2.0","id":1,"result":null}\n');
  assert.deepEqual([await one, await other], [null, "of b"]);
  assert.equal(peer.connection.waiting, 0);
});

test("request() rejects with the code, message and data of the answer's error", async () => {
  const peer = new Peer();
  const call = peer.connection.request("a", { by: "name" });
  await peer.says('{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no such tool","data":{"tool":"x"}}}\n');
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof JsonRpcError);
    assert.deepEqual([error.code, error.message, error.data], [-32602, "no such tool", { tool: "x" }]);
    return true;
  });
});

test("request() rejects at once where the answer has neither a result nor an error", async () => {
  const peer = new Peer();
  const calls = [peer.connection.request("a", undefined), peer.connection.request("b", undefined)];
  const ends = Promise.allSettled(calls);
  // Without the version it may be a line for people.
  await peer.says('{"id":2}\n{"jsonrpc":"2.0","id":1}\n{"jsonrpc":"2.0","id":2,"error":null}\n');
  assert.deepEqual(peer.events, ['invalid {"id":2}']);
  for (const end of await ends) {
    assert.ok(end.status === "rejected" && end.reason instanceof JsonRpcError);
    assert.deepEqual([end.reason.code, end.reason.message], [-32603, 'the answer has neither "result" nor "error"']);
  }
  assert.equal(peer.connection.waiting, 0);
});

test("An answer whose id is the text of a request's number is its answer, and is taken once", async () => {
  const peer = new Peer();
  const calls = [peer.connection.request("a", undefined), peer.connection.request("b", undefined)];
  const ends = Promise.allSettled(calls);
  await peer.says('{"jsonrpc":"2.0","id":"2","error":{"code":1,"message":"of b"}}\n');
  await peer.says('{"jsonrpc":"2.0","id":"1","result":"of a"}\n{"jsonrpc":"2.0","id":1,"result":"again"}\n');
  const [a, b] = await ends;
  assert.ok(a?.status === "fulfilled" && b?.status === "rejected" && b.reason instanceof JsonRpcError);
  assert.deepEqual([a.value, b.reason.message, peer.events], ["of a", "of b", []]);
});

test("An answer to an id that was never issued, of another type or null goes to no request and is told", async () => {
  const peer = new Peer();
  const call = peer.connection.request("a", undefined);
  await peer.says('{"jsonrpc":"2.0","id":"1.0","result":"wrong"}\n{"jsonrpc":"2.0","id":9,"result":"wrong"}\n');
  await peer.says('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\n');
  await peer.says('{"jsonrpc":"2.0","id":"__proto__","result":"wrong"}\n{"jsonrpc":"2.0","id":1,"result":"right"}\n');
  assert.equal(await call, "right");
  assert.deepEqual(peer.events, [
    'dropped answer to no request (id "1.0")',
    "dropped answer to no request (id 9)",
    'dropped answer to no request (id null, error "Parse error")',
    'dropped answer to no request (id "__proto__")',
  ]);
});

test("A second answer to a request is left out", async () => {
  const peer = new Peer();
  const call = peer.connection.request("a", undefined);
  await peer.says('{"jsonrpc":"2.0","id":1,"result":1}\n{"jsonrpc":"2.0","id":1,"result":2}\n');
  assert.equal(await call, 1);
  assert.deepEqual(peer.events, []);
});

test("A line that is no JSON, and JSON that is no message, are told apart from messages", async () => {
  const peer = new Peer();
  await peer.says('starting up\n{"level":"info"}\n42\n[1]\n[]\n{"jsonrpc":"1.0","id":1,"method":"x"}\n{"id":{}}\n');
  assert.deepEqual(peer.events, [
    "parse starting up",
    'invalid {"level":"info"}',
    "invalid 42",
    "invalid [1]",
    "invalid []",
    'invalid {"jsonrpc":"1.0","id":1,"method":"x"}',
    'invalid {"id":{}}',
  ]);
});

test("notify() sends no id, and a peer's notification is an event with its params", async () => {
  const peer = new Peer();
  peer.connection.notify({ method: "exit", params: undefined });
  assert.deepEqual(await peer.sees(), ['{"jsonrpc":"2.0","method":"exit"}\n']);
  await peer.says('{"jsonrpc":"2.0","method":"log","params":["a"]}\n{"jsonrpc":"2.0","method":"log","params":null}\n');
  assert.deepEqual(peer.events, ['notified log ["a"]', "notified log undefined"]);
});

test("A peer's request that nobody handles is answered with method not found", async () => {
  const peer = new Peer();
  await peer.says('{"jsonrpc":"2.0","id":"x1","method":"sampling/createMessage","params":{}}\n');
  assert.deepEqual(await peer.sees(), [
    '{"jsonrpc":"2.0","id":"x1","error":{"code":-32601,"message":"Method not found: sampling/createMessage"}}\n',
  ]);
});

test("A peer's request is answered with what its handler gives, or throws, whatever that is", async () => {
  const results = new Map<string, () => unknown>([
    ["value", () => Promise.resolve({ roots: [] })],
    ["nothing", () => undefined],
    ["throws", () => {
      throw Object.assign(new Error("no"), { code: 7, data: [1] });
    }],
    ["throws undefined", () => {
      throw undefined;
    }],
    ["not writable", () => 1n],
    ["data not writable", () => {
      throw Object.assign(new Error("no"), { data: 1n });
    }],
    ["bytes", () => ({ data: Uint8Array.of(1) })],
    ["data has a Map", () => {
      throw Object.assign(new Error("no"), { data: { rows: new Map() } });
    }],
  ]);
  const peer = new Peer({ request: (method) => results.get(method)?.() });
  const answers: unknown[] = [];
  for (const method of results.keys()) {
    await peer.says(`${JSON.stringify({ jsonrpc: "2.0", id: method, method })}\n`);
    const [text = ""] = await peer.sees();
    const { result, error } = JSON.parse(text);
    answers.push(error ?? result);
  }
  assert.deepEqual(answers.slice(0, 4), [{ roots: [] }, null, { code: 7, message: "no", data: [1] }, {
    code: -32603,
    message: "undefined",
  }]);
  assert.match(JSON.stringify(answers[4]), /"code":-32603,"message":"result is a bigint"/);
  assert.deepEqual(answers[5], { code: -32603, message: "no" });
  const why = 'result.data is a Uint8Array, which JSON has no form for: write Buffer.from(x).toString("base64")';
  assert.deepEqual(answers[6], { code: -32603, message: why });
  assert.deepEqual(answers[7], { code: -32603, message: "no" });
});

test("A batch is answered by one batch, when the last of its requests is done", async () => {
  let finish = (_value: unknown) => {};
  const peer = new Peer({
    request: (method) => method === "slow" ? new Promise((resolve) => finish = resolve) : method,
  });
  const slow = { jsonrpc: "2.0", id: 1, method: "slow" };
  const batch = [slow, { jsonrpc: "2.0", method: "told" }, { jsonrpc: "2.0", id: 2, method: "quick" }, 5];
  await peer.says(`${JSON.stringify(batch)}\n`);
  assert.deepEqual(await peer.sees(), []);
  assert.deepEqual(peer.events, ["notified told undefined"]);
  finish("done");
  const [text = ""] = await peer.sees();
  assert.deepEqual(JSON.parse(text), [
    { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid Request" } },
    { jsonrpc: "2.0", id: 2, result: "quick" },
    { jsonrpc: "2.0", id: 1, result: "done" },
  ]);
});

test("A batch of notifications is answered by nothing, a batch of answers goes to its requests", async () => {
  const peer = new Peer();
  const calls = [peer.connection.request("a", undefined), peer.connection.request("b", undefined)];
  await peer.sees();
  await peer.says('[{"jsonrpc":"2.0","method":"told"}]\n');
  await peer.says('[{"jsonrpc":"2.0","id":2,"result":"b"},{"jsonrpc":"2.0","id":1,"result":"a"}]\n');
  assert.deepEqual(await Promise.all(calls), ["a", "b"]);
  assert.deepEqual(await peer.sees(), []);
});

for (
  const [name, conventions, sent, received] of [
    ["language servers", LSP_CONVENTIONS, '"method":"$/cancelRequest","params":{"id":1}', {
      method: "$/cancelRequest",
      params: { id: "their" },
    }],
    [
      "MCP servers",
      MCP_CONVENTIONS,
      '"method":"notifications/cancelled","params":{"requestId":1,"reason":"nobody waits for it"}',
      { method: "notifications/cancelled", params: { requestId: "their", reason: "gone" } },
    ],
  ] as const
) {
  test(`A cancelled request is told as ${name} want it; its answer still counts, and later nobody waits`, async () => {
    const peer = new Peer({ conventions });
    const controller = new AbortController();
    const [answered, unanswered] = [1, 2].map(() =>
      peer.connection.request("slow", undefined, { signal: controller.signal })
    );
    await peer.sees();
    controller.abort();
    const [first, second] = await peer.sees();
    assert.equal(first, `{"jsonrpc":"2.0",${sent}}\n`);
    assert.equal(second, first?.replace("1}", "2}").replace("1,", "2,"));
    await peer.says('{"jsonrpc":"2.0","id":1,"result":"late"}\n');
    assert.equal(await answered, "late");
    const rejected = assert.rejects(unanswered ?? Promise.resolve(), UnansweredError);
    await peer.clock.advance(5_000);
    await rejected;
    await peer.says('{"jsonrpc":"2.0","id":2,"result":"much too late"}\n');
    assert.deepEqual([peer.events, peer.connection.waiting, peer.clock.timers], [[], 0, 0]);
  });

  test(`The peer's own request is aborted as ${name} tell it`, async () => {
    const signals: AbortSignal[] = [];
    const peer = new Peer({
      conventions,
      request: (_method, _params, signal) => {
        signals.push(signal);
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve("stopped"), { once: true }));
      },
    });
    await peer.says('{"jsonrpc":"2.0","id":"their","method":"long"}\n');
    await peer.says(`${JSON.stringify({ jsonrpc: "2.0", ...received })}\n`);
    assert.equal(signals[0]?.aborted, true);
    assert.deepEqual(await peer.sees(), ['{"jsonrpc":"2.0","id":"their","result":"stopped"}\n']);
    assert.deepEqual(peer.events, []);
  });
}

test("The end of the peer's output rejects what waits and is told once; what runs for it is aborted by close()", async () => {
  const signals: AbortSignal[] = [];
  const peer = new Peer({
    request: (_method, _params, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const call = peer.connection.request("a", undefined);
  await peer.says('{"jsonrpc":"2.0","id":1,"method":"long"}\n');
  peer.channel.close();
  await assert.rejects(call, ConnectionClosedError);
  await settle();
  assert.equal(signals[0]?.aborted, false);
  peer.connection.close();
  assert.equal(signals[0]?.aborted, true);
  assert.deepEqual(peer.events, ["closed null"]);
  await assert.rejects(peer.connection.request("b", undefined), ConnectionClosedError);
});

test("A peer that announces 4 GiB is cut off with a reason", async () => {
  const peer = new Peer({ framing: "content-length" });
  await peer.says("Content-Length: 4294967296\r\n\r\n");
  assert.deepEqual(peer.events, ["closed its output has a message of 4294967296 bytes"]);
});

test("A peer that does not read is cut off before what waits for it fills the memory", async () => {
  const peer = new Peer({ request: () => "x".repeat(1024 * 1024) });
  peer.near.stick();
  for (let id = 1; id <= 70; id++) await peer.says(`{"jsonrpc":"2.0","id":${id},"method":"big"}\n`);
  assert.deepEqual(peer.events, ["closed it does not read its input"]);
  assert.equal(peer.near.closed, true);
  assert.ok(peer.connection.unsentBytes < 66 * 1024 * 1024);
});

test("A peer's requests beyond 20,000 that run are refused, and each end makes room", async () => {
  const ends: (() => void)[] = [];
  const peer = new Peer({ request: () => new Promise<void>((resolve) => ends.push(resolve)) });
  const request = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"wait"}\n`;
  await peer.says(Array.from({ length: 20_001 }, (_, index) => request(index + 1)).join(""));
  const full = '{"jsonrpc":"2.0","id":20001,"error":{"code":-32000,"message":"queue is full (20000)"}}\n';
  assert.deepEqual(await peer.sees(), [full]);
  ends[0]?.();
  assert.deepEqual(await peer.sees(), ['{"jsonrpc":"2.0","id":1,"result":null}\n']);
  await peer.says(request(20_002));
  assert.deepEqual([ends.length, await peer.sees()], [20_001, []]);
  peer.connection.close();
});

test("A batch of more than 20,000 messages is refused as a whole", async () => {
  const peer = new Peer();
  const text = `[${Array.from({ length: 20_001 }, () => "1").join()}]`;
  await peer.says(`${text}\n`);
  assert.deepEqual(peer.events, [`invalid ${text}`]);
  assert.deepEqual(await peer.sees(), []);
});
