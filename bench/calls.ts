/**
 * Calls per second and latency, beside the runtime's own IPC: a fresh process for each figure, the two sides in turn, the order
 * turned round every second round, medians of the rounds.
 *
 *     deno task bench [--rounds 7] [--ms 1000] [--runtime node,deno,bun]
 *
 * @module
 */

import { parseArgs } from "node:util";
import { buildNpm } from "../scripts/build_npm.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "7" },
    ms: { type: "string", default: "1000" },
    runtime: { type: "string", default: "node,deno,bun" },
  },
});
const folder = new URL("./programs/", import.meta.url).pathname;
const bun = new URL("../node_modules/bun/bin/bun.exe", import.meta.url).pathname;

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  node: ["node"],
  deno: [Deno.execPath(), "run", "-A"],
  bun: [bun],
};

const WORKS = [
  { work: "100", title: "calls/s, 100 in flight", pinned: false, more: true },
  { work: "1000", title: "calls/s, 1,000 in flight", pinned: false, more: true },
  { work: "one", title: "one at a time, on one CPU, p50 µs", pinned: true, more: false },
];

interface Cell {
  readonly brokkr: number;
  readonly fork: number;
}

await buildNpm();
console.log("| runtime | work | brokkr | `fork` + `send` (json) | ratio of medians' pairs |");
console.log("|---|---|---|---|---|");
for (const runtime of values.runtime.split(",")) {
  for (const { work, title, pinned } of WORKS) {
    const rounds: Cell[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      rounds.push(await oneRound(runtime, work, pinned, round));
    }
    const brokkr = median(rounds.map((cell) => cell.brokkr));
    const fork = median(rounds.map((cell) => cell.fork));
    const ratio = median(rounds.map((cell) => cell.brokkr / cell.fork));
    console.log(`| ${runtime} | ${title} | ${show(brokkr)} | ${show(fork)} | ${ratio.toFixed(2)}× |`);
  }
}

async function oneRound(runtime: string, work: string, pinned: boolean, round: number): Promise<Cell> {
  const cell = { brokkr: 0, fork: 0 };
  const sides: (keyof Cell)[] = round % 2 === 0 ? ["brokkr", "fork"] : ["fork", "brokkr"];
  for (const side of sides) cell[side] = await figure(runtime, `calls_${side}.mjs`, work, pinned);
  return cell;
}

async function figure(runtime: string, program: string, work: string, pinned: boolean): Promise<number> {
  const [command = runtime, ...args] = [...pinned ? ["taskset", "1"] : [], ...COMMANDS[runtime] ?? [runtime]];
  const { stdout, success } = await new Deno.Command(command, {
    args: [...args, `${folder}${program}`],
    // A list of certificates costs every start of Node 55 ms.
    env: { BENCH_WORK: work, BENCH_MS: values.ms, NODE_EXTRA_CA_CERTS: "" },
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure ${program} in ${runtime}: it failed, see above`);
  return JSON.parse(new TextDecoder().decode(stdout)).figure;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

function show(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : value.toFixed(0);
}
