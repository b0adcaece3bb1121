import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inThisRuntime, ROOT, run, runtimeName } from "./command.ts";
import { blocksOf } from "./pages.ts";
import { builtPackage } from "./package.ts";

const PAGE = "docs/performance.md";
const RUNTIMES = {
  deno: inThisRuntime("").slice(0, -1),
  node: ["node"],
  bun: [join(ROOT, "dev/node_modules/bun/bin/bun.exe")],
};
/** The comparison's programs, with the packages and the build of brokkr that they load. */
const only = {
  skip: runtimeName === "deno" ? false : "the programs of bench are no part of the compiled suite",
};

async function withBench(fn: (programs: string) => Promise<void>): Promise<void> {
  const clone = await mkdtemp(join(tmpdir(), "brokkr-bench-"));
  try {
    const filter = (path: string) => !path.endsWith("node_modules");
    await cp(join(ROOT, "bench"), join(clone, "bench"), { recursive: true, filter });
    for (const name of ["node_modules", "src", "mod.ts", "deno.json"]) {
      await symlink(join(ROOT, name), join(clone, name));
    }
    await symlink(join(ROOT, "dev/node_modules"), join(clone, "bench/node_modules"));
    await builtPackage(clone);
    const compiler = new URL("../../bench/side_by_side.ts", import.meta.url).href;
    const code = `await (await import(${JSON.stringify(compiler)})).compileSources();`;
    const compiled = await run([process.execPath, "eval", "--config", join(ROOT, "dev/deno.json"), code], {
      cwd: ROOT,
    });
    assert.equal(compiled.code, 0, compiled.stderr);
    await mkdir(join(clone, "build"));
    await symlink(join(ROOT, "build/bench"), join(clone, "build/bench"));
    await fn(join(clone, "bench/programs"));
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

test(
  `${PAGE}, Measure: a profile of a Node process is written for the parent and one for the child`,
  only,
  async () => {
    const block = (await blocksOf(PAGE)).find(({ part, text }) => part === "Measure" && text.includes("--cpu-prof"));
    const [build, enter, profile = "", perf] = block?.text.trimEnd().split("\n") ?? [];
    assert.deepEqual([build, enter], ["deno task build:npm", "cd bench/programs"]);
    assert.match(perf ?? "", / perf record .* calls_brokkr\.mjs$/);
    await withBench(async (programs) => {
      const command = profile.replace("BENCH_MS=3000", "BENCH_MS=50").replace("/tmp/prof", "prof");
      assert.notEqual(command, profile);
      const ended = await run(["/bin/sh", "-ec", command], { cwd: programs });
      assert.equal(ended.code, 0, ended.stderr);
      const profiles = await readdir(join(programs, "prof"));
      assert.equal(profiles.filter((name) => name.endsWith(".cpuprofile")).length, 2, profiles.join());
    });
  },
);

test(`${PAGE}, Measure: each side of the comparison does its work`, only, async () => {
  await withBench(async (programs) => {
    const sides = (await readdir(programs)).filter((name) => name.startsWith("calls_"));
    assert.ok(sides.length >= 7, sides.join());
    for (const [runtime, command] of Object.entries(RUNTIMES)) {
      for (const side of sides) {
        const isLibrary = !/brokkr|fork|bound/.test(side);
        if (isLibrary && runtime !== "node") continue;
        for (const [kind, flight] of [["mix", "1,10"], ["bytes", "2"]] as const) {
          if (kind === "bytes" && isLibrary) continue;
          // What JSON can't carry is measured with the runtime's own serialization.
          const serialization = side.includes("bound") ? "native" : "json";
          const env = { BENCH_VALUES: kind, BENCH_FLIGHT: flight, BENCH_SERIALIZATION: serialization, BENCH_MS: "20" };
          const { stdout, stderr } = await run([...command, join(programs, side)], { cwd: programs, env });
          assert.match(stdout, /^\[\{"inFlight":[12],"perSecond":[1-9]/, `${runtime} ${side} ${kind}: ${stderr}`);
        }
      }
    }
  });
});
