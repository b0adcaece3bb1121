import assert from "node:assert/strict";
import { test } from "node:test";
import { keysOf } from "../../../src/cli/top/terminal.ts";

test("keysOf() tells the keys of one read apart, and leaves out sequences that are none of ours", () => {
  assert.deepEqual(keysOf("q\x1b[A\x1b[Bj\r\x1b[5~\x1b[1;5C\x1bOA"), [
    "q",
    "up",
    "down",
    "j",
    "enter",
    "page-up",
    "up",
  ]);
  assert.deepEqual(keysOf("\x1b"), ["escape"]);
  assert.deepEqual(keysOf("\x03"), ["quit"]);
  assert.deepEqual(keysOf("é\u{1F600}"), ["é", "\u{1F600}"]);
  assert.deepEqual(keysOf(""), []);
});
