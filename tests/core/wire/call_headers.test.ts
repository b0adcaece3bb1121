import assert from "node:assert/strict";
import { test } from "node:test";
import { packCalls, readCalls } from "../../../src/core/wire/columns.ts";
import { type CallHeaders, readHeaders, WrittenHeaders } from "../../../src/core/wire/messages.ts";
import { bytesOf, encodeValue } from "./carry.ts";

/** A value of each header; the compiler asks for all of them. */
const EVERY: Required<CallHeaders> = { target: "sla", timeoutMs: 1.5, caller: "M-1", stream: true, notify: false };

function carried(options: CallHeaders): CallHeaders | null | undefined {
  const packed = packCalls([
    { id: 1, attempt: 1, command: "get", params: encodeValue([], "p"), options: null },
    { id: 2, attempt: 1, command: "get", params: encodeValue([], "p"), options },
  ], 1);
  const { calls } = readCalls(packed.flags, bytesOf(packed));
  assert.equal(calls[0]?.options, null);
  return calls[1]?.options;
}

test("a frame carries every header of a call, alone and with the others", () => {
  assert.deepEqual(Object.keys(readHeaders(EVERY) ?? {}), Object.keys(EVERY));
  for (const [key, value] of Object.entries(EVERY)) assert.deepEqual(carried({ [key]: value }), { [key]: value });
  assert.deepEqual(carried(EVERY), EVERY);
  assert.deepEqual(carried({}), {});
});

test("what is no header, or has another type, is left out of what a peer sent", () => {
  const sent = { target: 5, timeoutMs: "5", caller: null, stream: 1, notify: true, more: true };
  assert.deepEqual(readHeaders(sent), { notify: true });
  assert.deepEqual(readHeaders(Object.create({ notify: true })), {});
  assert.deepEqual([readHeaders(null), readHeaders("notify")], [null, null]);
});

test("headers that all calls of a frame have are in it once, and each call has them", () => {
  const [shared, alike] = [{ timeoutMs: 500, caller: "M" }, { timeoutMs: 500, caller: "M" }];
  const frameOf = (second: CallHeaders | null) => {
    const packed = packCalls([
      { id: 1, attempt: 1, command: "get", params: encodeValue([], "p"), options: shared },
      { id: 2, attempt: 1, command: "get", params: encodeValue([], "p"), options: second },
    ], 1);
    const bytes = bytesOf(packed);
    const times = new TextDecoder().decode(bytes).split("timeoutMs").length - 1;
    return { times, options: readCalls(packed.flags, bytes).calls.map(({ options }) => options) };
  };
  assert.deepEqual(frameOf(shared), { times: 1, options: [shared, shared] });
  assert.deepEqual(frameOf(alike), { times: 2, options: [shared, alike] });
  assert.deepEqual(frameOf(null), { times: 1, options: [shared, null] });
});

test("the headers of one frame are not those of the next", () => {
  const written = new WrittenHeaders();
  const optionsOf = (options: CallHeaders | null) => {
    const packed = packCalls(
      [{ id: 1, attempt: 1, command: "get", params: encodeValue([], "p"), options }],
      1,
      written,
    );
    return readCalls(packed.flags, bytesOf(packed)).calls[0]?.options;
  };
  const [one, other] = [{ caller: "M" }, { caller: "N" }];
  assert.deepEqual([one, other, other, null, one].map(optionsOf), [one, other, other, null, one]);
});
