/**
 * Private memory of a module's process before and after the cleanup, beside the floor: a process of the same program that loaded
 * its own module's objects only.
 *
 *     deno task bench:cleanup [--modules 3] [--mib 100] [--rounds 3] [--runtime node,deno,bun]
 *
 * @module
 */

import { parseArgs } from "node:util";
import { median, prepare, run } from "./side_by_side.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    modules: { type: "string", default: "3" },
    mib: { type: "string", default: "100" },
    rounds: { type: "string", default: "3" },
    runtime: { type: "string", default: "node,deno,bun" },
  },
});

interface Figures {
  readonly ms: number;
  readonly before: number;
  readonly after: number;
}

await prepare();
console.log("| runtime | before the cleanup | after it | floor | after / floor | cleanup |");
console.log("|---|---|---|---|---|---|");
for (const runtime of values.runtime.split(",")) {
  const cleaned: Figures[] = [];
  const floor: Figures[] = [];
  const env = { BENCH_MODULES: values.modules, BENCH_MIB: values.mib };
  for (let round = 0; round < Number(values.rounds); round++) {
    cleaned.push(await run(runtime, "cleanup.mjs", { env }));
    floor.push(await run(runtime, "cleanup.mjs", { env: { ...env, BENCH_ONLY: "module-0" } }));
  }
  const after = median(cleaned.map((figures) => figures.after));
  const least = median(floor.map((figures) => figures.after));
  const cells = [
    runtime,
    mebibytes(median(cleaned.map((figures) => figures.before))),
    mebibytes(after),
    mebibytes(least),
    `${(after / least).toFixed(2)}×`,
    `${median(cleaned.map((figures) => figures.ms)).toFixed(0)} ms`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
