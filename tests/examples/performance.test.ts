import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, run, runtimeName } from "./command.ts";
import { blocksOf } from "./pages.ts";
import { builtPackage } from "./package.ts";

const PAGE = "docs/performance.md";

test(`${PAGE}, Measure: a profile of a Node process is written for the parent and one for the child`, {
  skip: runtimeName === "deno" ? false : "the programs of bench are no part of the compiled suite",
}, async () => {
  const block = (await blocksOf(PAGE)).find(({ part, text }) => part === "Measure" && text.includes("--cpu-prof"));
  const [build, enter, profile = "", perf] = block?.text.trimEnd().split("\n") ?? [];
  assert.deepEqual([build, enter], ["deno task build:npm", "cd bench/programs"]);
  assert.match(perf ?? "", / perf record .* calls_brokkr\.mjs$/);
  const clone = await mkdtemp(join(tmpdir(), "brokkr-bench-"));
  try {
    await cp(join(ROOT, "bench"), join(clone, "bench"), { recursive: true });
    await builtPackage(clone);
    const command = profile.replace("BENCH_MS=3000", "BENCH_MS=50").replace("/tmp/prof", "prof");
    assert.notEqual(command, profile);
    const ended = await run(["/bin/sh", "-ec", command], { cwd: join(clone, "bench/programs") });
    assert.equal(ended.code, 0, ended.stderr);
    const profiles = await readdir(join(clone, "bench/programs/prof"));
    assert.equal(profiles.filter((name) => name.endsWith(".cpuprofile")).length, 2, profiles.join());
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
});
