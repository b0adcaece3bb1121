/**
 * Random calls against random faults, in each runtime in turn: what was answered, what the faults explain, what is left.
 *
 *     deno task soak [MINUTES] [--seed 1] [--runtime deno,node,bun]
 *
 * MINUTES is the time of all of them together, 2 by default. Exits with 1 where something is wrong.
 */

import { parseArgs } from "node:util";
import { complaints, mebibytes, soak, type Soaked } from "./soak/run.ts";
import { compileSuite } from "./suite/compiled.ts";
import type { RuntimeName } from "./suite/runners.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, runtime: { type: "string", default: "deno,node,bun" } },
});
const minutes = Number(positionals[0] ?? 2);
const runtimes = values.runtime.split(",").filter(isRuntime);
if (!(minutes > 0) || runtimes.length === 0) {
  console.error("Cannot soak: deno task soak [MINUTES] [--seed N] [--runtime deno,node,bun]");
  Deno.exit(2);
}

using suite = await compileSuite();
if (suite.messages !== "") console.error(suite.messages);
const found: string[] = [];
console.log(
  "| runtime | calls | answered | gone | timed out | cancelled | threw | refused | faults | restarts | wrong | orphans | zombies | descriptors | memory |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
for (const runtime of runtimes) {
  const seconds = Math.max(5, Math.round(minutes * 60 / runtimes.length));
  const soaked = await soak(runtime, { folder: suite.folder, seconds, seed: Number(values.seed) });
  console.log(`| ${row(runtime, soaked).join(" | ")} |`);
  found.push(...complaints(soaked).map((text) => `${runtime}: ${text}`));
}
for (const text of found) console.error(text);
Deno.exitCode = found.length === 0 ? 0 : 1;

function row(runtime: string, { calls, outcomes, faults, restarts, wrong, left, early, late }: Soaked): unknown[] {
  const of = (name: string) => outcomes[name] ?? 0;
  return [
    runtime,
    calls,
    of("answered"),
    of("ProcessGoneError"),
    of("CallTimeoutError"),
    of("CallCancelledError"),
    of("RemoteError"),
    of("PayloadError") + of("QueueFullError"),
    Object.values(faults).reduce((sum, count) => sum + count, 0),
    restarts,
    wrong.length,
    left.orphans,
    left.zombies,
    `${early.files} to ${late.files}`,
    `${mebibytes(early.bytes)} to ${mebibytes(late.bytes)}`,
  ];
}

function isRuntime(name: string): name is RuntimeName {
  return name === "deno" || name === "node" || name === "bun";
}
