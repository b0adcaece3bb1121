import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../src/cli/config/document.ts";
import { readConfig } from "../../src/cli/config/read_config.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { allPages, type Block, blocksOf } from "./pages.ts";
import { isOfConfiguration } from "./trials.ts";

// Whatever this runtime can load: what a block names is looked at, and not run.
const runtime = { ...await detectRuntime(), name: "deno" as const, cannotSandbox: null };

test("every configuration of the guides that no test runs is one that brokkr takes", async () => {
  const blocks = (await Promise.all((await allPages()).map(blocksOf))).flat().filter(isOfConfiguration);
  assert.ok(blocks.length > 0);
  const folder = await mkdtemp(join(tmpdir(), "brokkr-guide-"));
  try {
    const wrong = await Promise.all(blocks.map((block, index) => faultsOf(block, join(folder, String(index)))));
    assert.deepEqual(wrong.flat(), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** What is wrong with a block where the files that it names are there. */
async function faultsOf({ page, line, text }: Block, folder: string): Promise<string[]> {
  for (const [, path = ""] of text.matchAll(/"path": "([^"]+)"/g)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), "");
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "brokkr.json"), text);
  return await readConfig(join(folder, "brokkr.json"), runtime).then(() => [], (error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ message }) => `${page}:${line}: ${message}`);
  });
}
