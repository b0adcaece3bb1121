import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { FrameError, FrameReader, joinBytes, readHeader } from "../../../src/core/wire/frame.ts";
import { frame, header } from "../frames.ts";
import { property } from "../property.ts";

const LIMIT = 1000;

/** What a reader makes of chunks, each frame as a text. */
function read(chunks: Iterable<Uint8Array>, limit = LIMIT): string[] {
  const seen: string[] = [];
  const reader = new FrameReader(limit, (type, flags, body) => {
    seen.push(`${type}/${flags}/${Array.from(body).join()}`);
  });
  for (const chunk of chunks) reader.push(chunk);
  return seen;
}

function* pieces(bytes: Uint8Array, sizeOf: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + sizeOf());
    yield bytes.slice(at, end);
    at = end;
  }
}

const SESSION = joinBytes([
  frame(1, '{"protocol":1}'),
  frame(2, '[1,[1],0,["get"],[["中🙂é"]],0]'),
  frame(3, "x"),
  frame(2, Uint8Array.of(0, 0, 0, 1, 255, 0x62, 0x6b), 1),
  frame(5, "1"),
]);
const FRAMES = read([SESSION]);

test("FrameReader reads a session split at every point, characters of UTF-8 included", () => {
  assert.equal(FRAMES.length, 5);
  for (let at = 0; at <= SESSION.length; at++) {
    assert.deepEqual(read([SESSION.slice(0, at), SESSION.slice(at)]), FRAMES, `split at ${at}`);
  }
});

test("FrameReader reads a session split at every two points", () => {
  for (let first = 0; first < SESSION.length; first++) {
    for (let second = first; second <= SESSION.length; second += 3) {
      const chunks = [SESSION.slice(0, first), SESSION.slice(first, second), SESSION.slice(second)];
      assert.deepEqual(read(chunks), FRAMES, `split at ${first} and ${second}`);
    }
  }
});

test("FrameReader reads a session one byte at a time", () => {
  assert.deepEqual(read(pieces(SESSION, () => 1)), FRAMES);
});

test("FrameReader reads a thousand frames of one chunk without copying them", () => {
  const chunk = joinBytes(Array.from({ length: 1000 }, (_, index) => frame(2, `[${index}]`)));
  let count = 0;
  const reader = new FrameReader(LIMIT, (_type, _flags, body) => {
    assert.equal(body.buffer, chunk.buffer);
    assert.equal(new TextDecoder().decode(body), `[${count++}]`);
  });
  reader.push(chunk);
  assert.equal(count, 1000);
  assert.equal(reader.partial, false);
});

const frames = fc.array(
  fc.tuple(fc.nat({ max: 255 }), fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat({ max: 255 })),
  { maxLength: 20 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 });

property("FrameReader reads any frames in any chunks as they were written", fc.tuple(frames, sizes), ([list, cuts]) => {
  const written = list.map(([type, body, flags]) => frame(type, body, flags));
  let turn = 0;
  const chunks = pieces(joinBytes(written), () => cuts[turn++ % cuts.length] ?? 1);
  assert.deepEqual(read(chunks), list.map(([type, body, flags]) => `${type}/${flags}/${body.join()}`));
});

test("FrameReader.partial tells whether a frame has begun", () => {
  const bytes = frame(2, "[12345]");
  const reader = new FrameReader(LIMIT, () => {});
  for (let at = 0; at < bytes.length; at++) {
    assert.equal(reader.partial, at > 0, `before byte ${at}`);
    reader.push(bytes.slice(at, at + 1));
  }
  assert.equal(reader.partial, false);
});

for (
  const [length, message] of [
    [0, "Cannot read frame: its length is 0"],
    [LIMIT + 1, "Cannot read frame: its length is 1001 and the limit is 1000"],
    [0x80000000, "Cannot read frame: its length is 2147483648 and the limit is 1000"],
    [0xffffffff, "Cannot read frame: its length is 4294967295 and the limit is 1000"],
  ] as const
) {
  test(`header that declares ${length} bytes is refused before anything is allocated, in one chunk or bytewise`, () => {
    const bytes = header(2, length);
    for (const size of [1, bytes.length]) {
      const before = new FrameReader(LIMIT, () => assert.fail("a frame was read"));
      assert.throws(() => {
        for (const chunk of pieces(bytes, () => size)) before.push(chunk);
      }, new FrameError(message));
    }
  });
}

test("frame of exactly the limit passes and one of a byte more does not", () => {
  assert.equal(read([frame(2, new Uint8Array(LIMIT))]).length, 1);
  assert.throws(() => read([frame(2, new Uint8Array(LIMIT + 1))]), FrameError);
});

test("header with a wrong first or second byte is refused", () => {
  for (const at of [0, 1]) {
    const bytes = frame(2, "[]");
    bytes[at] = 0x7b;
    assert.throws(
      () => read([bytes]),
      new FrameError("Cannot read frame: it does not begin with the bytes 62 6b"),
    );
  }
});

test("readHeader() gives back what writeHeader() wrote, for lengths of every size", () => {
  for (let bit = 0; bit < 32; bit++) {
    const length = 2 ** bit;
    assert.deepEqual(readHeader(header(200, length), 0, 2 ** 32), { type: 200, flags: 0, length });
  }
});

test("FrameReader gives whole bodies that came in parts, whatever their sizes before", () => {
  const sizes = [70_000, 3, 70_001, 1_500_000, 80_000, 10, 2_500_000, 100_000];
  const stream = joinBytes(sizes.map((size, index) => frame(2, new Uint8Array(size).fill(index + 1))));
  const seen: string[] = [];
  const reader = new FrameReader(16 * 1024 * 1024, (_type, _flags, body) => {
    seen.push(`${body.length} of ${[...new Set(body)].join()}`);
  });
  for (let at = 0; at < stream.length; at += 65_536) reader.push(stream.slice(at, at + 65_536));
  assert.deepEqual(seen, sizes.map((size, index) => `${size} of ${index + 1}`));
});
