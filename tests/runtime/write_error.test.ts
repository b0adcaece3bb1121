import assert from "node:assert/strict";
import { test } from "node:test";
import { writeWhole } from "../../src/runtime/write_error.ts";
import { start, succeeded, within } from "./started.ts";

test("writeWhole() goes on after partial writes and a full pipe", () => {
  let written = "";
  let calls = 0;
  writeWhole("höhe über null", (bytes) => {
    calls++;
    if (calls === 2) throw Object.assign(new Error("full"), { code: "EAGAIN" });
    if (calls === 3) throw Object.assign(new Error("full"), { name: "WouldBlock" });
    written += new TextDecoder("latin1").decode(bytes.subarray(0, 4));
    return Math.min(4, bytes.length);
  });
  assert.equal(written, new TextDecoder("latin1").decode(new TextEncoder().encode("höhe über null")));
});

test("writeWhole() gives up in silence where nobody reads", () => {
  let calls = 0;
  writeWhole("text", () => {
    calls++;
    throw Object.assign(new Error("gone"), { code: "EPIPE" });
  });
  assert.equal(calls, 1);
});

test("writeError() writes more than a pipe holds before the process ends", async () => {
  let bytes = 0;
  const process = await start({
    mode: "write-error",
    env: { SIZE: "1000000" },
    output: (stream, chunk) => {
      assert.equal(stream, "stderr");
      bytes += chunk.length;
    },
  });
  process.channel.catch(() => {});
  assert.deepEqual(await within(process.exited), succeeded);
  assert.equal(bytes, 1_000_000);
});
