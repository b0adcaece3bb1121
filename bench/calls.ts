/**
 * Calls per second and latency, beside the runtime's own IPC: the two sides in turn, the order turned round every second round,
 * medians of the rounds.
 *
 *     deno task bench:calls [--rounds 7] [--ms 1000] [--runtime node,deno,bun]
 *
 * @module
 */

import { parseArgs } from "node:util";
import { median, prepare, run } from "./side_by_side.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "7" },
    ms: { type: "string", default: "1000" },
    runtime: { type: "string", default: "node,deno,bun" },
  },
});

const WORKS = [
  { work: "100", title: "calls/s, 100 in flight", pinned: false },
  { work: "1000", title: "calls/s, 1,000 in flight", pinned: false },
  { work: "one", title: "one at a time, on one CPU, p50 in µs", pinned: true },
];

interface Round {
  brokkr: number;
  fork: number;
}

await prepare();
console.log("| runtime | work | brokkr | `fork` + `send`, json | ratio |");
console.log("|---|---|---|---|---|");
for (const runtime of values.runtime.split(",")) {
  for (const work of WORKS) {
    const rounds: Round[] = [];
    for (let round = 0; round < Number(values.rounds); round++) rounds.push(await oneRound(runtime, work, round));
    const cells = [
      runtime,
      work.title,
      show(median(rounds.map((round) => round.brokkr))),
      show(median(rounds.map((round) => round.fork))),
      `${median(rounds.map((round) => round.brokkr / round.fork)).toFixed(2)}×`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

async function oneRound(runtime: string, { work, pinned }: (typeof WORKS)[number], round: number): Promise<Round> {
  const figures: Round = { brokkr: 0, fork: 0 };
  const sides: (keyof Round)[] = round % 2 === 0 ? ["brokkr", "fork"] : ["fork", "brokkr"];
  for (const side of sides) {
    const env = { BENCH_WORK: work, BENCH_MS: values.ms };
    figures[side] = (await run<{ figure: number }>(runtime, `calls_${side}.mjs`, { env, pinned })).figure;
  }
  return figures;
}

function show(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : value.toFixed(0);
}
