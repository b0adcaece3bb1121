/**
 * From the spawn of a process to its first answer, and what it holds when it is idle, beside a child that only echoes; what loading
 * brokkr's parts costs alone, which no start can go below; from kill -9 to the first answer of the next process, with and without one
 * that was kept ready; and how long 1 to 200 modules take to be ready, and what a call costs their broker then. A fresh process for
 * each figure, all sides in turn, the order turned round every second round, medians of the ratios or differences of each round.
 *
 *     deno task bench:start [--rounds 9] [--ms 500] [--runtime node,deno,bun] [--modules 1,10,50,200]
 */

import { ROOT } from "../scripts/command.ts";
import { atRest } from "./programs/at_rest.mjs";
import { optionsOf } from "./options.ts";
import { command, median, prepare, run, spawn } from "./side_by_side.ts";

const values = optionsOf("bench:start", {
  rounds: "9",
  ms: "500",
  runtime: "node,deno,bun",
  modules: "1,10,50,200",
});
const rounds = Number(values.rounds);
const counts = values.modules.split(",").filter((count) => count !== "");

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly privateBytes: number;
}

const RESTARTS = [
  ["nothing to clean", { BENCH_CLEANS: "0", BENCH_STANDBY: "0" }],
  ["nothing to clean, standby 1", { BENCH_CLEANS: "0", BENCH_STANDBY: "1" }],
  ["another module to clean", { BENCH_CLEANS: "1", BENCH_STANDBY: "0" }],
  ["another module to clean, standby 1", { BENCH_CLEANS: "1", BENCH_STANDBY: "1" }],
] as const;

await prepare();
for (const runtime of values.runtime.split(",")) {
  await compareStarts(runtime);
  await compareParts(runtime);
  await compareCommands(runtime);
  await compareRestarts(runtime);
  if (counts.length > 0) await compareCounts(runtime);
}

async function compareStarts(runtime: string): Promise<void> {
  const [bare, own]: [Start[], Start[]] = [[], []];
  const sides = [["start_bare.mjs", bare], ["start_brokkr.mjs", own]] as const;
  for (let round = 0; round < rounds; round++) {
    for (const [program, rows] of round % 2 === 0 ? sides : sides.toReversed()) {
      rows.push(await run<Start>(runtime, program, { env: {} }));
    }
  }
  const ratio = (of: (row: Start) => number) => {
    return median(own.map((row, round) => of(row) / of(bare[round] ?? row))).toFixed(2);
  };
  const more = median(own.map(({ privateBytes }, round) => privateBytes - (bare[round]?.privateBytes ?? NaN)));
  const ms = (rows: readonly Start[], of: (row: Start) => number) => `${median(rows.map(of)).toFixed(1)} ms`;
  const memory = (rows: readonly Start[]) => mebibytes(median(rows.map((row) => row.privateBytes)));
  const [wall, cpu] = [(row: Start) => row.ms, (row: Start) => row.cpuMs];
  console.log(`\n| ${runtime} | bare child | brokkr | |\n|---|---|---|---|`);
  console.log(`| spawn to first answer | ${ms(bare, wall)} | ${ms(own, wall)} | ${ratio(wall)}× |`);
  console.log(`| processor time of the child until it is idle | ${ms(bare, cpu)} | ${ms(own, cpu)} | ${ratio(cpu)}× |`);
  console.log(`| private memory, idle | ${memory(bare)} | ${memory(own)} | ${mebibytes(more)} more |`);
}

/** Each with what stands before it. */
function partsOf(runtime: string): [name: string, file: string | null][] {
  return [
    ["nothing", null],
    ["the library", `${ROOT}/npm/mod.js`],
    ["and the process' side", `${ROOT}/npm/lib/brokkr-process.js`],
    ["and the runtime's side", `${ROOT}/npm/lib/brokkr-${runtime}.js`],
  ];
}

async function compareParts(runtime: string): Promise<void> {
  const parts = partsOf(runtime);
  const rows = parts.map((): Omit<Start, "ms">[] => []);
  for (let round = 0; round < rounds; round++) {
    const order = [...parts.keys()];
    for (const index of round % 2 === 0 ? order : order.toReversed()) {
      const files = parts.slice(0, index + 1).flatMap(([, file]) => file ?? []);
      const child = spawn(runtime, "start_parts.mjs", files);
      rows[index]?.push(await atRest(child.pid));
      child.kill("SIGKILL");
      await Promise.all([child.status, child.stdout.cancel()]);
    }
  }
  console.log(`\n| ${runtime}, loads | processor time | private memory |\n|---|---|---|`);
  for (const [index, [name]] of parts.entries()) {
    const own = rows[index] ?? [];
    const cpu = median(own.map(({ cpuMs }) => cpuMs)).toFixed(1);
    console.log(`| ${name} | ${cpu} ms | ${mebibytes(median(own.map(({ privateBytes }) => privateBytes)))} |`);
  }
}

/** From kill -9 to the first answer. */
async function compareRestarts(runtime: string): Promise<void> {
  const rows = RESTARTS.map((): number[] => []);
  for (let round = 0; round < Math.ceil(rounds / 3); round++) {
    const order = [...RESTARTS.entries()];
    for (const [index, [, env]] of round % 2 === 0 ? order : order.toReversed()) {
      const { times } = await run<{ times: number[] }>(runtime, "restart.mjs", { env: { ...env, BENCH_ROUNDS: "7" } });
      rows[index]?.push(...times);
    }
  }
  console.log(`\n| ${runtime}, kill -9 to first answer | p50 | p90 |\n|---|---|---|`);
  for (const [index, [name]] of RESTARTS.entries()) {
    const sorted = rows[index]?.toSorted((a, b) => a - b) ?? [];
    const ms = (part: number) => `${(sorted[Math.floor(sorted.length * part)] ?? NaN).toFixed(1)} ms`;
    console.log(`| ${name} | ${ms(0.5)} | ${ms(0.9)} |`);
  }
}

/** The command line of the npm package beside a program that does nothing: each from its start to its end. */
async function compareCommands(runtime: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  const env = { XDG_RUNTIME_DIR: folder, NODE_EXTRA_CA_CERTS: "" };
  const cli = `${ROOT}/npm/cli.js`;
  const empty = `${folder}/empty.mjs`;
  await Deno.writeTextFile(empty, "");
  await Deno.writeTextFile(
    `${folder}/echo.mjs`,
    'export default { name: "echo", commands: { echo: (value) => value } };',
  );
  await Deno.writeTextFile(
    `${folder}/brokkr.json`,
    '{ "name": "bench", "modules": { "echo": { "path": "echo.mjs" } } }',
  );
  const broker = command(runtime, [cli, "run", `${folder}/brokkr.json`], env).spawn();
  const rows = {
    "an empty program": [empty],
    "brokkr --version": [cli, "--version"],
    "brokkr status": [cli, "status"],
    "brokkr call": [cli, "call", "echo", "echo", "1"],
    "brokkr describe": [cli, "describe"],
  };
  try {
    while (!(await command(runtime, rows["brokkr call"], env).output()).success);
    const times = new Map(Object.keys(rows).map((name): [string, number[]] => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, args] of round % 2 === 0 ? Object.entries(rows) : Object.entries(rows).toReversed()) {
        const start = performance.now();
        await command(runtime, args, env).output();
        times.get(name)?.push(performance.now() - start);
      }
    }
    const [first = []] = times.values();
    console.log(`\n| ${runtime}, from start to end | time | ratio |\n|---|---|---|`);
    for (const [name, own] of times) {
      const ratio = median(own.map((ms, round) => ms / (first[round] ?? NaN)));
      console.log(`| ${name} | ${median(own).toFixed(1)} ms | ${ratio.toFixed(2)}× |`);
    }
  } finally {
    broker.kill("SIGTERM");
    await broker.status;
    await Deno.remove(folder, { recursive: true });
  }
}

interface Counted {
  readonly cpuUs: number;
  readonly readyMs: number;
  readonly restarts: number;
}

async function compareCounts(runtime: string): Promise<void> {
  const rows = new Map<string, Counted[]>(counts.map((count) => [count, []]));
  for (let round = 0; round < Math.ceil(rounds / 3); round++) {
    for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
      const env = { BENCH_MODULES: count, BENCH_MS: values.ms };
      rows.get(count)?.push(await run<Counted>(runtime, "modules.mjs", { env }));
    }
  }
  const [first = []] = rows.values();
  console.log(`\n| ${runtime}, modules | CPU of the broker a call | ratio | all ready | a module | restarts |`);
  console.log("|---|---|---|---|---|---|");
  for (const [count, own] of rows) {
    const ratio = median(own.map(({ cpuUs }, round) => cpuUs / (first[round]?.cpuUs ?? NaN)));
    const [cpuUs, readyMs] = [median(own.map((row) => row.cpuUs)), median(own.map((row) => row.readyMs))];
    const ready = `${(readyMs / 1_000).toFixed(2)} s | ${(readyMs / Number(count)).toFixed(0)} ms`;
    const restarts = Math.max(...own.map((row) => row.restarts));
    console.log(`| ${count} | ${cpuUs.toFixed(1)} µs | ${ratio.toFixed(2)}× | ${ready} | ${restarts} |`);
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
