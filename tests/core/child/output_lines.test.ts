import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputLines } from "../../../src/core/child/output.ts";
import { ManualClock } from "../manual_clock.ts";

class Printed {
  readonly clock = new ManualClock();
  readonly texts: string[] = [];
  readonly levels: string[] = [];
  readonly dropped: number[] = [];
  readonly lines: OutputLines;

  constructor(limits: { maxLinesPerSecond?: number; maxLineBytes?: number } = {}) {
    this.lines = new OutputLines({
      clock: this.clock,
      limits: { maxLinesPerSecond: 500, maxLineBytes: 8_192, ...limits },
      line: (text, level) => {
        this.texts.push(text);
        this.levels.push(level);
      },
      dropped: (count) => void this.dropped.push(count),
    });
  }

  print(text: string | Uint8Array): Promise<void> | undefined {
    return this.lines.push(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }
}

test("OutputLines gives the same lines at every split", () => {
  const text = "one\r\ntwo é\u{1F600}\n\n  three\rfour\n";
  const bytes = new TextEncoder().encode(`${text}five`);
  const expected = ["one", "two é\u{1F600}", "", "  three\rfour", "five"];
  for (let split = 0; split <= bytes.length; split++) {
    const printed = new Printed();
    printed.print(bytes.slice(0, split));
    printed.print(bytes.slice(split));
    printed.lines.end();
    assert.deepEqual(printed.texts, expected, `split at ${split}`);
  }
});

test("OutputLines takes colours off, keeps other control characters, and replaces what is no UTF-8", () => {
  const printed = new Printed();
  printed.print("\x1b[1;31mERROR\x1b[0m no \x1b[38:5:9mfile\x1b[m\n");
  printed.print("\x1b[2J\x1b]0;title\x07\0\b\n");
  printed.print(Uint8Array.of(0x61, 0xff, 0xc3, 0x0a));
  assert.deepEqual(printed.texts, ["ERROR no file", "\x1b[2J\x1b]0;title\x07\0\b", "a\ufffd\ufffd"]);
  assert.deepEqual(printed.levels, ["error", "info", "info"]);
});

test("OutputLines cuts a long line where a character ends, and says by how much", () => {
  const printed = new Printed({ maxLineBytes: 10 });
  printed.print(`${"a".repeat(9)}é${"b".repeat(1_000_000)}`);
  printed.print("c\nnext\n");
  assert.deepEqual(printed.texts, [`${"a".repeat(9)}… (1000002 bytes cut)`, "next"]);
});

test("OutputLines keeps a line of exactly the limit whole, and of one more cuts 1 byte", () => {
  const printed = new Printed({ maxLineBytes: 10 });
  printed.print(`${"a".repeat(10)}\n${"b".repeat(11)}\n${"c".repeat(9)}`);
  printed.print("c\n");
  printed.print("c\n");
  assert.deepEqual(printed.texts, ["a".repeat(10), `${"b".repeat(10)}… (1 bytes cut)`, "c".repeat(10), "c"]);
});

test("OutputLines leaves out what is too much for a second, counts it, and goes on in the next", async () => {
  const printed = new Printed({ maxLinesPerSecond: 3 });
  printed.print("1\n2\n3\n4\n5\n");
  printed.print("6\n");
  assert.deepEqual(printed.texts, ["1", "2", "3"]);
  assert.deepEqual(printed.dropped, [], "once a second at most");
  await printed.clock.advance(1_000);
  assert.deepEqual(printed.dropped, [3]);
  printed.print("7\n");
  await printed.clock.advance(5_000);
  assert.deepEqual([printed.texts.at(-1), printed.dropped], ["7", [3]], "a second without a drop says nothing");
  printed.print("8\n9\n10\n11\n");
  printed.lines.end();
  assert.deepEqual(printed.dropped, [3, 1]);
  assert.equal(printed.clock.timers, 0);
});

test("OutputLines keeps the last lines of a flood, whatever of it was left out", () => {
  const printed = new Printed({ maxLinesPerSecond: 2 });
  const flood = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`).join("");
  printed.print(`${flood}and a ha`);
  printed.print(`lf\n${flood.slice(0, 70)}`);
  printed.lines.end();
  assert.deepEqual(printed.texts, ["line 0", "line 1"]);
  assert.deepEqual(printed.lines.last, [
    ...Array.from({ length: 9 }, (_, index) => `line ${991 + index}`),
    "and a half",
    ...Array.from({ length: 10 }, (_, index) => `line ${index}`),
  ]);
  assert.deepEqual(printed.dropped, [1_000 - 2 + 1 + 10]);
});

test("OutputLines holds back who prints more than there is time to read, until the second is over", async () => {
  const printed = new Printed();
  const mebibyte = new Uint8Array(1024 * 1024).fill(0x79);
  for (let index = 0; index < 4; index++) assert.equal(printed.print(mebibyte), undefined);
  let goesOn = false;
  void printed.print("y\n")?.then(() => goesOn = true);
  await printed.clock.advance(990);
  assert.equal(goesOn, false);
  await printed.clock.advance(10);
  assert.equal(goesOn, true);
  assert.equal(printed.print("y\n"), undefined, "the next second begins with nothing read");
  assert.equal(printed.texts.length, 2);
});

test("OutputLines lets go of who is held back when the stream ends", async () => {
  const printed = new Printed();
  const held = printed.print(new Uint8Array(5 * 1024 * 1024));
  printed.lines.end();
  await held;
  assert.equal(printed.clock.timers, 0);
});
