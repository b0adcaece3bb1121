import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyReader } from "../../../src/core/wire/codec.ts";
import type { CallEntry } from "../../../src/core/wire/columns.ts";
import { CompactCodec } from "../../../src/core/wire/compact_codec.ts";
import { joinBytes } from "../../../src/core/wire/bytes.ts";

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

test("takeBack() gives the memory of what was encoded last to the next, and of nothing else", () => {
  const codec = new CompactCodec();
  const first = codec.encode(["kept"], "p");
  const refused = codec.encode(["refused"], "p");
  codec.takeBack(refused);
  const second = codec.encode(["second"], "p");
  assert.equal(second.start, refused.start);
  codec.takeBack(first);
  const third = codec.encode(["third"], "p");
  const calls = [first, second, third].map((params, index) => {
    return { id: index + 1, attempt: 1, command: "get", params, options: null };
  });
  const { flags, parts } = codec.calls(calls, 1);
  const got = new BodyReader().calls(flags, joinBytes(parts))?.calls.map(({ params }) => params);
  assert.deepEqual(got, [["kept"], ["second"], ["third"]]);
});

test("a large value leaves as it is, and nothing that is encoded later touches it", () => {
  const codec = new CompactCodec();
  const large = new Uint8Array(100_000).fill(7);
  const answer = (id: number, value: unknown) => ({ id, attempt: 1, kind: 0, value: codec.encode(value, "v") });
  const { flags, parts, steady } = codec.answers([answer(1, "before"), answer(2, large), answer(3, "after")]);
  // The parts that are not steady are copied when they are sent.
  const sent = parts.map((part) => steady?.has(part) === true ? part : part.slice());
  assert.equal(steady?.size, 1);
  large.fill(8);
  for (let id = 4; id < 200; id++) codec.answers([answer(id, "x".repeat(1000))]);
  const { values } = new BodyReader().answers(flags, joinBytes(sent));
  assert.deepEqual(values, ["before", new Uint8Array(100_000).fill(7), "after"]);
});
