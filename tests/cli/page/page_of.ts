import assert from "node:assert/strict";
import type { CliProcess } from "../cli_process.ts";

/** The address that a broker has printed. */
export function pageOf({ stderr }: CliProcess): string {
  const [, url = ""] = /^The page is at (http:\/\/\S+\/)$/m.exec(stderr) ?? [];
  assert.notEqual(url, "", stderr);
  return url;
}
