import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSystem } from "../../src/runtime/posix/supported_system.ts";

test("checkSystem() refuses Windows with what to use, and nothing else", () => {
  for (const name of ["linux", "darwin", "freebsd"]) checkSystem(name);
  for (const name of ["windows", "win32"]) {
    assert.throws(() => checkSystem(name), /Cannot run brokkr on Windows: it needs/);
  }
});
