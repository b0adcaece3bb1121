import assert from "node:assert/strict";
import { test } from "node:test";
import { joinBytes } from "../../../src/core/wire/frame.ts";
import type { Framing } from "../../../src/core/settings/settings.ts";
import { frameMessage, FramingError, newReader } from "../../../src/core/program/framing.ts";

const MESSAGES = ['{"jsonrpc":"2.0","id":1,"method":"é中🙂"}', '{"a":"\\n\\u0000"}', "[]", '"x"'];

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What a reader finds in `chunks`, in order. */
function read(framing: Framing, chunks: readonly Uint8Array[], limit?: number): string[] {
  const found: string[] = [];
  const reader = newReader(framing, {
    message: (text) => found.push(`message ${text}`),
    stray: (line) => found.push(`stray ${line}`),
    dropped: (what) => found.push(`dropped ${what}`),
  }, limit);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return found;
}

function readText(framing: Framing, text: string, limit?: number): string[] {
  return read(framing, [bytes(text)], limit);
}

const SESSIONS: Record<Framing, { readonly whole: Uint8Array; readonly found: readonly string[] }> = {
  newline: {
    whole: joinBytes([
      ...MESSAGES.slice(0, 2).map((text) => frameMessage("newline", text)),
      bytes("printed é\r\n\n  \n"),
      ...MESSAGES.slice(2).map((text) => frameMessage("newline", text)),
    ]),
    found: [
      ...MESSAGES.slice(0, 2).map((text) => `message ${text}`),
      "message printed é",
      ...MESSAGES.slice(2).map((text) => `message ${text}`),
    ],
  },
  "content-length": {
    whole: joinBytes([
      ...MESSAGES.slice(0, 2).map((text) => frameMessage("content-length", text)),
      bytes("printed é\r\nno line end"),
      bytes("content-length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}"),
      ...MESSAGES.slice(2).map((text) => frameMessage("content-length", text)),
    ]),
    found: [
      ...MESSAGES.slice(0, 2).map((text) => `message ${text}`),
      "stray printed é",
      "stray no line end",
      "message {}",
      ...MESSAGES.slice(2).map((text) => `message ${text}`),
    ],
  },
};

for (const framing of ["newline", "content-length"] as const) {
  const { whole, found } = SESSIONS[framing];

  test(`A ${framing} session gives the same at every split point`, () => {
    for (let at = 0; at <= whole.length; at++) {
      assert.deepEqual(read(framing, [whole.subarray(0, at), whole.subarray(at)]), found, `split at ${at}`);
    }
  });

  test(`A ${framing} session gives the same one byte at a time, and in chunks of any size`, () => {
    assert.deepEqual(read(framing, Array.from(whole, (_, at) => whole.subarray(at, at + 1))), found);
    for (let size = 2; size < 60; size++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
      assert.deepEqual(read(framing, chunks), found, `chunks of ${size}`);
    }
  });

  test(`A ${framing} message of exactly the limit passes, one more byte is dropped, and the next one is read`, () => {
    const [fits, tooLong] = ['"123456"', '"1234567"'];
    const chunks = [fits, tooLong, "{}"].map((text) => frameMessage(framing, text));
    const expected = [`message ${fits}`, "dropped message of 9 bytes (the limit is 8)", "message {}"];
    assert.deepEqual(read(framing, chunks, 8), expected);
    assert.deepEqual(read(framing, [joinBytes(chunks)], 8), expected);
  });

  test(`1,000 ${framing} messages in one chunk are all read`, () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `{"id":${index}}`);
    const whole = joinBytes(texts.map((text) => frameMessage(framing, text)));
    assert.deepEqual(read(framing, [whole]), texts.map((text) => `message ${text}`));
  });

  test(`Bytes that are not UTF-8 in a ${framing} message become replacement characters and harm no other message`, () => {
    const broken = frameMessage(framing, '"??"');
    const at = broken.indexOf(0x3f);
    broken[at] = 0xff;
    broken[at + 1] = 0xc3;
    const found = read(framing, [broken, frameMessage(framing, "1")]);
    assert.deepEqual(found, ['message "\ufffd\ufffd"', "message 1"]);
  });
}

test("A newline message without a line end at the end of the stream is read", () => {
  assert.deepEqual(readText("newline", '{"a":1}\n{"b":2}'), ['message {"a":1}', 'message {"b":2}']);
});

test("A content-length message whose stream ends inside is dropped with what is missing", () => {
  assert.deepEqual(readText("content-length", "Content-Length: 10\r\n\r\n{}"), [
    "dropped message without its last 8 bytes",
  ]);
  assert.deepEqual(readText("content-length", "Content-Length: 10\r\n"), ["dropped message without its 10 bytes"]);
  assert.deepEqual(readText("content-length", "Content-Length: 10"), ["dropped message without its 10 bytes"]);
});

test("A content-length header is read in any case, with bare line feeds and without spaces", () => {
  assert.deepEqual(readText("content-length", "CONTENT-LENGTH:2\n\n{}Content-Length:\t2  \r\n\r\n[]"), [
    "message {}",
    "message []",
  ]);
});

test("A content-length of 0, of 2 GiB and of more than any number are refused before memory is taken", () => {
  assert.deepEqual(readText("content-length", "Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}"), ["message {}"]);
  for (const length of ["2147483648", "4294967295", "9".repeat(400)]) {
    assert.throws(() => readText("content-length", `Content-Length: ${length}\r\n\r\n`), FramingError, length);
  }
});

test("A line between content-length messages that never ends is dropped and takes no memory", () => {
  const [found] = readText("content-length", `${"x".repeat(100_000)}\nContent-Length: 2\r\n\r\n{}`);
  assert.equal(found, "dropped line of 100000 bytes (the limit is 65536)");
});

test("frameMessage() counts bytes and not characters", () => {
  assert.equal(new TextDecoder().decode(frameMessage("content-length", '"é🙂"')), 'Content-Length: 8\r\n\r\n"é🙂"');
  assert.equal(new TextDecoder().decode(frameMessage("newline", '"é"')), '"é"\n');
});
