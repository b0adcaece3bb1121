import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./command.ts";

/** What the README of an example shows as its output: the block of text number `index`. */
export async function shownOutput(example: string, index = 0): Promise<string> {
  const readme = await readFile(join(ROOT, "examples", example, "README.md"), "utf8");
  const block = [...readme.matchAll(/^```text\n(.*?)^```$/gms)][index]?.[1];
  assert.ok(block, `examples/${example}/README.md has no block ${index} of text`);
  return block;
}
