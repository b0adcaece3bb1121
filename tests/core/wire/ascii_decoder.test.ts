import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { AsciiDecoder } from "../../../src/core/wire/ascii_decoder.ts";

/** Texts of 1 to 60 characters, and between them every byte that is no ASCII. */
function mixed(): { bytes: Uint8Array; texts: { text: string; start: number }[] } {
  const bytes: number[] = [];
  const texts: { text: string; start: number }[] = [];
  for (let index = 0; index < 400; index++) {
    const text = String.fromCharCode(index % 128).repeat(1 + index % 60);
    bytes.push(0x80 + index % 128);
    texts.push({ text, start: bytes.length });
    for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
    bytes.push(0xef, 0xbb, 0xbf);
  }
  return { bytes: Uint8Array.from(bytes), texts };
}

for (
  const [what, wrap] of [
    ["a Uint8Array", (bytes: Uint8Array) => bytes],
    ["a Buffer", (bytes: Uint8Array) => Buffer.from(bytes)],
    ["a part of a larger Buffer", (bytes: Uint8Array) => Buffer.concat([Buffer.alloc(7, 0x41), bytes]).subarray(7)],
  ] as const
) {
  test(`AsciiDecoder reads every text from ${what}, whatever bytes stand around it`, () => {
    const { bytes, texts } = mixed();
    const decoder = opened(wrap(bytes));
    for (const { text, start } of texts) assert.equal(decoder.read(start, start + text.length), text);
  });
}

test("AsciiDecoder gives nothing of the body before", () => {
  const decoder = opened(Uint8Array.from([0x61, 0x62]));
  assert.equal(decoder.read(0, 2), "ab");
  opened(Uint8Array.from([0x63, 0x64]), decoder);
  assert.equal(decoder.read(0, 2), "cd");
});

function opened(bytes: Uint8Array, decoder = new AsciiDecoder()): AsciiDecoder {
  decoder.open(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  return decoder;
}
