/**
 * What the cleanup gives back: private memory of one module's process in programs of many modules, with cleanup hooks and
 * without, beside the floor, a process of the same program that loaded its own module's data only.
 *
 *     deno task bench:cleanup [--modules 1x100,3x100,10x20,50x2] [--data array,map] [--rounds 3] [--runtime node,deno,bun]
 *
 * `10x20` are ten modules of 20 MB each. Every process of a program loads all of it, so the machine needs memory for
 * (modules + 1) × modules × megabytes at once: 300 MB × 4 for `3x100`, 100 MB × 51 for `50x2`.
 */

import { optionsOf } from "./options.ts";
import { median, prepare, run } from "./side_by_side.ts";

const values = optionsOf("bench:cleanup", {
  modules: "1x100,3x100,10x20,50x2",
  data: "array",
  rounds: "3",
  runtime: "node,deno,bun",
});

interface Figures {
  readonly ms: number;
  readonly after: number;
}

const KINDS = { kept: { BENCH_KEEP: "1" }, cleaned: {}, floor: { BENCH_ONLY: "module-0" } };

await prepare();
console.log("| runtime | modules | without cleanup | with it | floor | with it / floor | cleanup |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const runtime of values.runtime.split(",")) {
  for (const data of values.data.split(",")) {
    for (const size of values.modules.split(",")) await row(runtime, data, size);
  }
}

async function row(runtime: string, data: string, size: string): Promise<void> {
  const [, modules = "", mib = ""] = /^(\d+)x(\d+)$/.exec(size) ?? [];
  if (modules === "") throw new Error(`Cannot measure "${size}" modules: it must be such as 10x20`);
  const env = { BENCH_MODULES: modules, BENCH_MIB: mib, BENCH_DATA: data };
  const seen: Record<keyof typeof KINDS, Figures[]> = { kept: [], cleaned: [], floor: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    seen.kept.push(await run(runtime, "cleanup.mjs", { env: { ...env, ...KINDS.kept } }));
    seen.cleaned.push(await run(runtime, "cleanup.mjs", { env: { ...env, ...KINDS.cleaned } }));
    seen.floor.push(await run(runtime, "cleanup.mjs", { env: { ...env, ...KINDS.floor } }));
  }
  const after = (figures: readonly Figures[]) => median(figures.map(({ after }) => after));
  const cells = [
    runtime,
    `${modules} × ${mib} MB, ${data}`,
    mebibytes(after(seen.kept)),
    mebibytes(after(seen.cleaned)),
    mebibytes(after(seen.floor)),
    `${median(seen.cleaned.map(({ after }, round) => after / (seen.floor[round]?.after ?? NaN))).toFixed(2)}×`,
    `${median(seen.cleaned.map(({ ms }) => ms)).toFixed(0)} ms`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(bytes < 104_857_600 ? 1 : 0)} MiB`;
}
