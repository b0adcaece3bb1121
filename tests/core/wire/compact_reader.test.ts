import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyError } from "../../../src/core/wire/frame.ts";
import { read } from "./compact_stream.ts";

for (
  const [what, bytes] of [
    ["an empty body", []],
    ["a length over what is left", [0xdd, 0xff, 0xff, 0xff, 0xff, 1]],
    ["a map over what is left", [0xdf, 0x7f, 0xff, 0xff, 0xff, 1, 1]],
    ["a text over what is left", [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ["bytes over what is left", [0xc6, 0x10, 0, 0, 0, 1]],
    ["an extension over what is left", [0xc9, 0x10, 0, 0, 0, 0, 1]],
    ["half a number", [0xcb, 1, 2]],
    ["the byte c1", [0xc1]],
    ["a shape that was not told", [0x40, 1]],
    ["a text that is not UTF-8", [0xa2, 0xff, 0xfe]],
    ["a key that is a list", [0x81, 0x90, 1]],
    ["an unknown extension", [0xd4, 0x33, 1]],
    ["a timestamp of 1 byte", [0xd4, 0xff, 1]],
    ["a BigInt that is none", [0xd5, 0x49, 0x31, 0x78]],
    ["half a UTF-16 unit", [0xd4, 0x55, 1]],
    ["bytes after the value", [1, 1]],
    ["2,000 levels", [...new Array<number>(2000).fill(0x91), 1]],
  ] as const
) {
  test(`CompactReader refuses ${what}`, () => {
    assert.throws(() => read(Uint8Array.from(bytes)), BodyError);
  });
}
