import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEvent } from "../../src/core/log/format.ts";
import { LogReader } from "../../src/core/log/log_reader.ts";
import { readFileSync } from "node:fs";
import { withEvents } from "../../scripts/log_lines/event_list.ts";
import { allPages, blocksOf } from "./pages.ts";
import { isLogLine, isOfLogLines } from "./trials.ts";

for (const page of await allPages()) {
  const blocks = (await blocksOf(page)).filter(isOfLogLines);
  if (blocks.length === 0) continue;
  test(`${page}: each log line is one that brokkr writes, to the byte`, () => {
    for (const { text, line } of blocks) {
      const lines = text.split("\n").filter(isLogLine);
      assert.deepEqual(printedAgain(lines), lines, `${page}:${line}`);
    }
  });
}

/** What the events that are read from the lines are printed as. A line that is no event's is left out. */
function printedAgain(lines: readonly string[]): string[] {
  const reader = new LogReader();
  const aligned = lines.some((line) => /^\[.{19}\] \w+ *: \[ \w+ {2,}\]/.test(line));
  return [...lines.flatMap((line) => [...reader.push(line)]), ...reader.end()].flatMap((item) =>
    item.kind === "event" ? formatEvent(item, { broker: item.broker ?? "", product: "Shinken", aligned }) : []
  );
}

test("docs/log-lines.md has the list of events and their samples as their table says them", () => {
  const page = readFileSync(new URL("../../docs/log-lines.md", import.meta.url), "utf8");
  // The formatter wraps lines and drops blank ones.
  const words = (text: string) => text.split(/\s+/);
  assert.deepEqual(words(page), words(withEvents(page)), 'run "deno task events"');
});
