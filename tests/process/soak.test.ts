import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { COLLECT_FLAGS, RUN_FLAGS } from "../fixtures/run_flags.ts";
import type { SoakReport } from "../fixtures/soak/report.ts";

const EXTENSION = import.meta.url.endsWith(".js") ? "js" : "ts";
const MAIN = fileURLToPath(new URL(`../fixtures/soak/main.${EXTENSION}`, import.meta.url));
const DEADLINE_MS = 85_000;
/** Half a minute is too short to tell a leak from a heap that warms up; this is what would be grotesque. */
const MOST_BYTES = 400 * 1_048_576;
const options = {
  timeout: 90_000,
  skip: process.platform === "linux" ? false : "finding processes needs /proc",
};

test(
  "random faults against random calls: no wrong answer, nothing left, each call has one outcome",
  options,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "brokkr-soak-"));
    const seed = String(Math.floor(Math.random() * 1_000_000));
    const file = join(folder, "report.json");
    const child = spawn(process.execPath, [...RUN_FLAGS, ...COLLECT_FLAGS, MAIN, seed, "8", file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
    try {
      const [code, signal] = await once(child, "exit");
      assert.deepEqual([code, signal], [0, null], `seed ${seed}`);
      const report: SoakReport = JSON.parse(readFileSync(file, "utf8"));
      assert.deepEqual(report.failures, [], `seed ${seed}`);
      const { wrong, orphans, zombies, calls, privateBytes } = report;
      assert.deepEqual({ wrong, orphans, zombies }, { wrong: 0, orphans: 0, zombies: 0 });
      assert.ok((calls["ok"] ?? 0) > 0, "some call was answered");
      assert.ok((privateBytes.after ?? 0) < MOST_BYTES, `${privateBytes.after} bytes`);
    } finally {
      clearTimeout(deadline);
      rmSync(folder, { recursive: true });
    }
  },
);
