import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { COLLECT_FLAGS, RUN_FLAGS } from "../fixtures/run_flags.ts";

const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const PROGRAM = fileURLToPath(new URL(`../fixtures/frame/new_keys${ending}`, import.meta.url));
const MIB = 1024 * 1024;

test("10^6 objects of ever new keys leave no memory held", () => {
  const { stdout, stderr } = spawnSync(process.execPath, [...RUN_FLAGS, ...COLLECT_FLAGS, PROGRAM], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  const { objects, bytes }: { objects: number; bytes: number } = JSON.parse(stdout);
  assert.equal(objects, 1_000_000);
  assert.ok(bytes < 8 * MIB, `${(bytes / MIB).toFixed(1)} MiB more`);
});
