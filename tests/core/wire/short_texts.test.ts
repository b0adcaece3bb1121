import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LONGEST_SHORT_TEXT, ShortTexts } from "../../../src/core/wire/short_texts.ts";

const encoder = new TextEncoder();

/** Looks for `text` where other bytes stand around it. */
function find(texts: ShortTexts, text: string): string | undefined {
  const bytes = encoder.encode(`~~~${text}~~~~~`);
  return texts.find(new DataView(bytes.buffer), 3, encoder.encode(text).length);
}

test("ShortTexts knows a text of every length from the second time on", () => {
  for (let length = 1; length <= LONGEST_SHORT_TEXT; length++) {
    const texts = new ShortTexts();
    const text = "stopping".slice(0, length);
    assert.deepEqual([find(texts, text), find(texts, text), find(texts, text)], [undefined, text, text]);
  }
});

test("ShortTexts never gives a text for another one, in whatever order they come", () => {
  // Few letters, so that texts differ in one place, in their length, or not at all.
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\0"), minLength: 1, maxLength: LONGEST_SHORT_TEXT });
  fc.assert(fc.property(fc.array(text, { minLength: 50, maxLength: 400 }), (all) => {
    const texts = new ShortTexts();
    for (const text of all) {
      const known = find(texts, text) ?? find(texts, text);
      assert.equal(known, text);
    }
  }));
});

test("ShortTexts forgets a text for another in its place, and finds it again", () => {
  const texts = new ShortTexts();
  const all = Array.from({ length: 5_000 }, (_, index) => `${String(index).padStart(4, "0")}same`);
  for (const text of all) assert.equal(find(texts, text), undefined);
  assert.equal(find(texts, "up"), undefined);
  assert.equal(find(texts, "up"), "up");
  for (const text of all) {
    const known = find(texts, text) ?? find(texts, text);
    assert.equal(known, text);
  }
});

test("ShortTexts leaves alone what is no ASCII", () => {
  const texts = new ShortTexts();
  for (const text of ["é", "aé", "éa", "€", "ab€", "€ab", "🦎", "🦎🦎", "abcd🦎"]) {
    for (let times = 0; times < 3; times++) assert.equal(find(texts, text), undefined, text);
  }
});
