import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../src/cli/config/document.ts";
import { readConfig } from "../../src/cli/config/read_config.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";

export const runtime = await detectRuntime();

/** Calls `body` with a folder that has a module file. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-config-"));
  try {
    writeFileSync(join(folder, "a.js"), "export default {};\n");
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is said about `text`, with the folder left out. */
export async function faultsOf(text: string | Uint8Array): Promise<string[]> {
  let lines: string[] = [];
  await inFolder(async (folder) => {
    const file = join(folder, "brokkr.json");
    writeFileSync(file, text);
    lines = await readConfig(file, runtime).then(() => [], (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      return error.message.replaceAll(`${folder}/`, "").split("\n");
    });
  });
  return lines;
}
