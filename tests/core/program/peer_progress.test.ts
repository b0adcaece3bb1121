import assert from "node:assert/strict";
import { test } from "node:test";
import { MCP_CONVENTIONS } from "../../../src/core/program/protocols.ts";
import { Peer } from "./peer.ts";

test("Progress of an MCP server goes to the request that asked for it, and to no other", async () => {
  const peer = new Peer({ conventions: MCP_CONVENTIONS });
  const progress: unknown[] = [];
  const call = peer.connection.request("tools/call", { name: "x" }, { onProgress: (value) => progress.push(value) });
  assert.deepEqual(await peer.sees(), [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":1}}}\n',
  ]);
  const notification = (token: unknown) =>
    `${
      JSON.stringify({
        jsonrpc: "2.0",
        method: "notifications/progress",
        params: { progressToken: token, progress: 2 },
      })
    }\n`;
  await peer.says(notification(1));
  await peer.says(notification("1"));
  await peer.says('{"jsonrpc":"2.0","id":1,"result":{}}\n');
  await call;
  await peer.says(notification(1));
  assert.deepEqual(progress, [{ progress: 2 }]);
  assert.deepEqual(peer.events, [
    'notified notifications/progress {"progressToken":"1","progress":2}',
    'notified notifications/progress {"progressToken":1,"progress":2}',
  ]);
});

test("Progress of a language server comes under the token that the params carry", async () => {
  const peer = new Peer();
  const progress: unknown[] = [];
  const call = peer.connection.request("x", { workDoneToken: "t" }, { onProgress: (value) => progress.push(value) });
  assert.deepEqual(await peer.sees(), ['{"jsonrpc":"2.0","id":1,"method":"x","params":{"workDoneToken":"t"}}\n']);
  await peer.says('{"jsonrpc":"2.0","method":"$/progress","params":{"token":"t","value":{"kind":"begin"}}}\n');
  await peer.says('{"jsonrpc":"2.0","id":1,"result":null}\n');
  await call;
  assert.deepEqual(progress, [{ kind: "begin" }]);
});
