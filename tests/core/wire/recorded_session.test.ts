import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readAnswers, readCalls } from "../../../src/core/wire/columns.ts";
import { DEFAULT_FRAME_LIMIT, FrameReader, FrameType, readJson } from "../../../src/core/wire/frame.ts";

/** What a parent and its process sent from hello to stop, as base64: calls that go well and that fail, a retry, a cancel, events. */
const RECORDED = JSON.parse(readFileSync(new URL("../../fixtures/frame/session.json", import.meta.url), "utf8"));

/** Everything that chunks tell, frame by frame. */
function understand(chunks: readonly Uint8Array[]): [type: number, meaning: unknown][] {
  const told: [number, unknown][] = [];
  const reader = new FrameReader(DEFAULT_FRAME_LIMIT, (type, flags, body) => {
    if (type === FrameType.calls) told.push([type, readCalls(flags, body)]);
    else told.push([type, type === FrameType.answers ? readAnswers(flags, body) : readJson(body)]);
  });
  for (const chunk of chunks) reader.push(chunk);
  assert.equal(reader.partial, false);
  return told;
}

for (
  const [from, types] of [
    ["fromFather", [FrameType.hello, FrameType.calls, FrameType.ping, FrameType.cancel, FrameType.notice]],
    ["fromProcess", [FrameType.hello, FrameType.records, FrameType.notice, FrameType.answers, FrameType.pong]],
  ] as const
) {
  const bytes = Uint8Array.from(atob(RECORDED[from]), (character) => character.charCodeAt(0));

  test(`recorded session ${from} means the same split at every point`, () => {
    const whole = understand([bytes]);
    assert.deepEqual(types.filter((type) => !whole.some(([told]) => told === type)), []);
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(understand([bytes.slice(0, at), bytes.slice(at)]), whole, `split at ${at}`);
    }
  });

  test(`recorded session ${from} means the same in chunks of 1 to 9 bytes`, () => {
    const whole = understand([bytes]);
    for (let size = 1; size <= 9; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => {
        return bytes.slice(index * size, (index + 1) * size);
      });
      assert.deepEqual(understand(chunks), whole, `chunks of ${size}`);
    }
  });
}
