import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { COLLECT_FLAGS, RUN_FLAGS } from "../fixtures/run_flags.ts";

const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const READERS = fileURLToPath(new URL(`../fixtures/frame/held_memory${ending}`, import.meta.url));

test("a reader of bodies holds no memory of a large one that it has read", () => {
  const { stdout, stderr } = spawnSync(process.execPath, [...RUN_FLAGS, ...COLLECT_FLAGS, READERS], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  const { readers, held }: { readers: number; held: number } = JSON.parse(stdout);
  // An engine that looks through its stack for what may be in use may keep one of them.
  assert.ok(held <= 2, `${held} of ${readers} hold theirs`);
});
