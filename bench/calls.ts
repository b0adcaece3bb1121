/**
 * Calls beside the runtime's own IPC and beside libraries over it: a fresh process for each figure, all sides in turn, the order
 * turned round every second round, medians of the ratios of each round.
 *
 *     deno task bench:calls [--rounds 7] [--ms 1000] [--runtime node,deno,bun] [--work 100,1000,one,bytes] [--pause 0]
 *
 * `--pause` is how many milliseconds others on a shared machine get between two processes.
 *
 * @module
 */

import { optionsOf } from "./options.ts";
import { median, prepare, run } from "./side_by_side.ts";

const values = optionsOf("bench:calls", {
  rounds: "7",
  ms: "1000",
  runtime: "node,deno,bun",
  work: "100,1000,one,bytes",
  pause: "0",
});

const WORKS: Readonly<Record<string, string>> = {
  "100": "calls/s, 100 in flight",
  "1000": "calls/s, 1,000 in flight",
  one: "one at a time, on one CPU, p50 in µs",
  bytes: "MB/s, 1 MiB `Uint8Array` echo",
};

/** What is measured: the first is what the ratios are to. */
interface Side {
  readonly name: string;
  readonly program: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Everywhere where absent. */
  readonly only?: { readonly runtime: string; readonly works: readonly string[] };
}

const CALLS = ["100", "1000", "one"];
const SIDES: readonly Side[] = [
  { name: "`fork` + `send`, json", program: "calls_fork.mjs" },
  {
    name: "`fork` + `send`, advanced",
    program: "calls_fork.mjs",
    env: { BENCH_SERIALIZATION: "advanced" },
    only: { runtime: "node", works: [...CALLS, "bytes"] },
  },
  { name: "birpc over fork", program: "calls_birpc.mjs", only: { runtime: "node", works: CALLS } },
  { name: "vscode-jsonrpc over IPC", program: "calls_jsonrpc.mjs", only: { runtime: "node", works: CALLS } },
  { name: "workerpool, process", program: "calls_workerpool.mjs", only: { runtime: "node", works: CALLS } },
  { name: "brokkr", program: "calls_brokkr.mjs" },
  { name: "brokkr's channel and codec, the least of guarantees", program: "calls_least.mjs" },
  { name: "brokkr's channel and codec, no guarantee", program: "calls_codec.mjs" },
  { name: "brokkr's channel, a codec by hand for this one object", program: "calls_byhand.mjs" },
  { name: "brokkr's channel alone", program: "calls_floor.mjs" },
];

interface Row {
  readonly figure: number;
  /** Processor time of both processes a call. */
  readonly cpuUs: number;
}

await prepare();
for (const runtime of values.runtime.split(",")) {
  for (const work of values.work.split(",")) await compare(runtime, work);
}

async function compare(runtime: string, work: string): Promise<void> {
  const title = WORKS[work];
  if (title === undefined) {
    throw new Error(`Cannot measure "${work}": it must be one of ${Object.keys(WORKS).join(", ")}`);
  }
  const sides = SIDES.filter(({ only }) =>
    only === undefined || (only.runtime === runtime && only.works.includes(work))
  );
  const rows = new Map<Side, Row[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const env = { ...side.env, BENCH_WORK: work, BENCH_MS: values.ms };
      await new Promise((resolve) => setTimeout(resolve, Number(values.pause)));
      rows.get(side)?.push(await run<Row>(runtime, side.program, { env, pinned: work === "one" }));
    }
  }
  console.log(`\n| ${runtime}, ${title} | median | ratio | CPU a call, both sides | ratio |\n|---|---|---|---|---|`);
  const [first = []] = rows.values();
  for (const [side, own] of rows) {
    const cells = [
      side.name,
      show(median(own.map((row) => row.figure))),
      ratio(own, first, (row) => row.figure),
      `${median(own.map((row) => row.cpuUs)).toFixed(1)} µs`,
      ratio(own, first, (row) => row.cpuUs),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

/** Of each round by itself, since the machine is not the same from one round to the next. */
function ratio(own: readonly Row[], first: readonly Row[], of: (row: Row) => number): string {
  return `${median(own.map((row, round) => of(row) / of(first[round] ?? row))).toFixed(2)}×`;
}

function show(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : value.toFixed(0);
}
