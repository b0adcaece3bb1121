import assert from "node:assert/strict";
import { test } from "node:test";
import { LineDecoder } from "../../../src/cli/logs/read_log.ts";

function decode(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const decoder = new LineDecoder();
  for (const chunk of chunks) {
    // As a source does: the chunk's memory is used again.
    const reused = chunk.slice();
    decoder.push(reused, (line) => lines.push(line));
    reused.fill(120);
  }
  decoder.end((line) => lines.push(line));
  assert.equal(decoder.lines, lines.length);
  return lines;
}

test("LineDecoder gives the same lines for every cut in two, also within a character", () => {
  const bytes = new TextEncoder().encode("one\n\nзв〖é🙂\nlast");
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(decode([bytes.subarray(0, cut), bytes.subarray(cut)]), ["one", "", "зв〖é🙂", "last"], `${cut}`);
  }
  assert.deepEqual(decode(Array.from(bytes, (byte) => Uint8Array.of(byte))), ["one", "", "зв〖é🙂", "last"]);
});

test("LineDecoder puts U+FFFD for bytes that are no UTF-8, and goes on", () => {
  assert.deepEqual(decode([Uint8Array.of(97, 0xff, 10, 98, 10)]), ["a\ufffd", "b"]);
});

test("LineDecoder reads a line without an end in pieces of about 1 MiB", () => {
  const chunk = new Uint8Array(65_536).fill(97);
  const lines = decode(Array.from({ length: 40 }, () => chunk));
  assert.deepEqual(lines.map((line) => line.length), [17 * 65_536, 17 * 65_536, 6 * 65_536]);
});
