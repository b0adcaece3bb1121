import { test } from "node:test";
import { ConfigDocument } from "../../src/cli/config/document.ts";
import { readEvents } from "../../src/cli/explain.ts";
import { LineDecoder } from "../../src/cli/logs/read_log.ts";
import { operatorText } from "../../src/cli/terminal.ts";
import { startOrder } from "../../src/core/broker/options.ts";
import { assertGrows, assertGrowsWithText } from "../core/growth.ts";

function readDocument(text: string): void {
  try {
    const document = new ConfigDocument("brokkr.json", text);
    for (const key of document.keys([])) {
      document.atKey([key], "unknown");
      document.value([key]);
    }
  } catch {
    // Its place is what is looked for.
  }
}

const READERS: Record<string, (text: string) => void> = {
  "the text of a configuration": readDocument,
  "lines for a screen": (text) => void operatorText(text),
  "the bytes of a log": (text) => {
    const decoder = new LineDecoder();
    decoder.push(new TextEncoder().encode(text), () => {});
    decoder.end(() => {});
  },
};

for (const [what, read] of Object.entries(READERS)) {
  test(`to read ${what} costs in proportion to its length, whatever it is made of`, () => assertGrowsWithText(read));
}

test("to explain lines costs in proportion to their length, whatever they are made of", () =>
  assertGrowsWithText((text) => void readEvents(text), 2_048));

test("to say all that is wrong with a configuration costs in proportion to its length", () => {
  const shapes: Record<string, (index: number) => string> = {
    "one key again and again": () => '"a":1',
    "keys that nobody knows": (index) => `"k${index}":1`,
    "a key again in line after line": () => '"a":\n1',
  };
  for (const [what, entry] of Object.entries(shapes)) {
    assertGrows(what, 2_048, (count) => {
      const text = `{${Array.from({ length: count }, (_, index) => entry(index)).join()}}`;
      return () => readDocument(text);
    });
  }
});

test("to put modules in order costs in proportion to their number, however long the way from one to the last", () => {
  assertGrows("each after the next", 8_192, (count) => {
    const modules = Array.from({ length: count }, (_, index) => ({
      name: `m${index}`,
      after: index + 1 < count ? [`m${index + 1}`] : [],
    }));
    return () => void startOrder(modules);
  });
});
