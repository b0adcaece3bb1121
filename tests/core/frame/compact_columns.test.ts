import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallEntry } from "../../../src/core/frame/batch.ts";
import { BodyReader } from "../../../src/core/frame/body_reader.ts";
import { joinBytes } from "../../../src/core/bytes.ts";
import { CompactCodec } from "../../../src/core/frame/compact_codec.ts";

test("columns of calls: attempts, commands and options that differ", () => {
  const codec = new CompactCodec();
  const reader = new BodyReader();
  const call = (id: number, more: Partial<CallEntry> = {}): CallEntry => {
    return { id, attempt: 1, command: "get", params: codec.encode([id], "p"), options: null, ...more };
  };
  for (
    const calls of [
      [call(1)],
      [call(1), call(70_000, { attempt: 2 })],
      [call(5), call(4, { command: "é" })],
      [call(6), call(7, { options: { target: "sla", timeoutMs: 1.5, caller: "M-1" } }), call(8, { options: {} })],
      [],
    ]
  ) {
    const { flags, parts } = codec.calls(calls, 3);
    const got = reader.calls(flags, joinBytes(parts));
    const expected = calls.map(({ id, attempt, command, options }) => ({
      id,
      attempt,
      command,
      params: [id],
      options,
    }));
    assert.deepEqual(got, { settledBelow: 3, calls: expected });
  }
});
