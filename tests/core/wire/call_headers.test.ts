import assert from "node:assert/strict";
import { test } from "node:test";
import { joinBytes } from "../../../src/core/wire/bytes.ts";
import { BodyReader, CODECS, newCodec } from "../../../src/core/wire/codec.ts";
import { type CallHeaders, readHeaders } from "../../../src/core/wire/messages.ts";

/** A value of each header; the compiler asks for all of them. */
const EVERY: Required<CallHeaders> = { target: "sla", timeoutMs: 1.5, caller: "M-1", stream: true, notify: false };

for (const name of CODECS) {
  const carried = (options: CallHeaders): CallHeaders | null | undefined => {
    const codec = newCodec(name);
    const { flags, parts } = codec.calls([
      { id: 1, attempt: 1, command: "get", params: codec.encode([], "p"), options: null },
      { id: 2, attempt: 1, command: "get", params: codec.encode([], "p"), options },
    ], 1);
    const calls = new BodyReader().calls(flags, joinBytes(parts))?.calls ?? [];
    assert.equal(calls[0]?.options, null);
    return calls[1]?.options;
  };

  test(`the ${name} codec carries every header of a call, alone and with the others`, () => {
    assert.deepEqual(Object.keys(readHeaders(EVERY) ?? {}), Object.keys(EVERY));
    for (const [key, value] of Object.entries(EVERY)) assert.deepEqual(carried({ [key]: value }), { [key]: value });
    assert.deepEqual(carried(EVERY), EVERY);
    assert.deepEqual(carried({}), {});
  });
}

test("what is no header, or has another type, is left out of what a peer sent", () => {
  const sent = { target: 5, timeoutMs: "5", caller: null, stream: 1, notify: true, more: true };
  assert.deepEqual(readHeaders(sent), { notify: true });
  assert.deepEqual(readHeaders(Object.create({ notify: true })), {});
  assert.deepEqual([readHeaders(null), readHeaders("notify")], [null, null]);
});
