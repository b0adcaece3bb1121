import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, fit } from "../../src/cli/terminal.ts";

test("columnsOf() counts what a terminal shows", () => {
  const texts: [string, number][] = [["", 0], ["sla ≤ 3 ms", 10], ["é", 1], ["e\u0301", 1], ["漢字", 4], [
    "\u{1F600}",
    2,
  ]];
  for (const [text, columns] of texts) assert.equal(columnsOf(text), columns, text);
});

test("fit() gives exactly so many columns, and never half a character", () => {
  for (
    const text of [
      "",
      "abc",
      "abcdefgh",
      "漢字漢字漢字",
      "a漢字漢字漢字",
      "e\u0301e\u0301",
      "\u{1F600}\u{1F600}\u{1F600}",
    ]
  ) {
    for (const columns of [0, 1, 2, 3, 4, 5, 12]) {
      assert.equal(columnsOf(fit(text, columns)), columns, `${text} ${columns}`);
    }
  }
  assert.deepEqual([fit("abc", 5), fit("abcdef", 5), fit("漢字漢字", 4), fit("漢字漢字", 5)], [
    "abc  ",
    "abcd…",
    "漢… ",
    "漢字…",
  ]);
});
