/**
 * Calls beside the runtime's own IPC and beside libraries over it, with values such as programs send: fresh processes for each round,
 * all sides in turn, the order turned round every second round, medians of the ratios of each round.
 *
 *     deno task bench:calls --runtime node --rows mix
 */

import { optionsOf } from "./options.ts";
import { KINDS, LARGE } from "./programs/values.mjs";
import { median, prepare, run } from "./side_by_side.ts";

/** Rows: a kind of values, or the mix one at a time while two processes of other sessions work. */
const ROWS: Readonly<Record<string, string>> = { ...KINDS, busy: "the mix, p99, busy" };
/** Parts of a row that share a process. One at a time, where a call waits for a process to wake, has both on one processor. */
const FLIGHTS = [[1], [10, 100, 1000]];

/** What is measured: the first is what the ratios are to. */
interface Side {
  readonly name: string;
  readonly program: string;
  /** JSON where absent. */
  readonly serialization?: string;
  /** Only in Node. */
  readonly node?: true;
  /** Not raw bytes. */
  readonly textOnly?: true;
}

const SIDES: Readonly<Record<string, Side>> = {
  json: { name: "`send`, json", program: "calls_fork.mjs" },
  brokkr: { name: "brokkr", program: "calls_brokkr.mjs" },
  batch: { name: "bound: batch JSON", program: "calls_bound.mjs", textOnly: true },
  native: { name: "bound: native", program: "calls_bound.mjs", serialization: "native" },
  advanced: { name: "`send`, advanced", program: "calls_fork.mjs", serialization: "advanced", node: true },
  birpc: { name: "birpc", program: "calls_birpc.mjs", node: true, textOnly: true },
  jsonrpc: { name: "vscode-jsonrpc", program: "calls_jsonrpc.mjs", node: true, textOnly: true },
  tinypool: { name: "tinypool", program: "calls_tinypool.mjs", node: true, textOnly: true },
  workerpool: { name: "workerpool", program: "calls_workerpool.mjs", node: true, textOnly: true },
  execa: { name: "execa", program: "calls_execa.mjs", node: true },
};

const values = optionsOf("bench:calls", {
  runtime: "node,deno,bun",
  rows: Object.keys(ROWS).join(),
  sides: Object.keys(SIDES).join(),
  seed: "1",
  rounds: "5",
  ms: "500",
  json: "false",
});
const isJson = values.json === "true";

interface Figures {
  readonly inFlight: number;
  readonly perSecond: number;
  /** Processor time of both processes a call. */
  readonly cpuUs: number;
  /** Null where more than one is in flight. */
  readonly p99Us: number | null;
}

/** What each side made in each round, by how many calls were in flight. */
type Results = ReadonlyMap<Side, readonly (readonly Figures[])[]>;

await prepare();
for (const runtime of values.runtime.split(",")) {
  const sides = values.sides.split(",").flatMap((name) => SIDES[name] ?? [])
    .filter(({ node }) => runtime === "node" || node === undefined);
  if (!isJson) {
    const titles = sides.map(({ name }, index) => index === 0 ? `${name}, calls/s` : name);
    console.log(`\n| ${runtime}, seed ${values.seed} | in flight | ${titles.join(" | ")} |`);
    console.log(`|${" --- |".repeat(titles.length + 2)}`);
  }
  for (const row of values.rows.split(",")) {
    for (const flight of row === "busy" ? [[1]] : LARGE.includes(row) ? [[2]] : FLIGHTS) {
      const results = await compare(runtime, row, { sides, flight });
      for (const [index, inFlight] of flight.entries()) {
        const figures = new Map(
          [...results].map(([side, rounds]) => [side, rounds.flatMap((round) => round[index] ?? [])]),
        );
        if (isJson) console.log(JSON.stringify(documentOf(runtime, row, { inFlight, figures })));
        else console.log(lineOf(row, { inFlight, sides, figures }));
      }
    }
  }
}

async function compare(
  runtime: string,
  row: string,
  { sides, flight }: { readonly sides: readonly Side[]; readonly flight: readonly number[] },
): Promise<Results> {
  const results = new Map<Side, Figures[][]>();
  for (const side of sides) if (row !== "bytes" || side.textOnly === undefined) results.set(side, []);
  const others = row === "busy" ? [startOther(), startOther()] : [];
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [side, own] of round % 2 === 0 ? results : [...results].toReversed()) {
        const env = {
          BENCH_VALUES: row === "busy" ? "mix" : row,
          BENCH_SEED: values.seed,
          BENCH_MS: values.ms,
          BENCH_FLIGHT: flight.join(),
          BENCH_SERIALIZATION: side.serialization ?? "json",
        };
        own.push(await run(runtime, side.program, { env, pinned: flight[0] === 1 && row !== "busy" }));
      }
    }
  } finally {
    for (const other of others) other.kill("SIGKILL");
  }
  return results;
}

/** A process of another session that is always busy. */
function startOther(): Deno.ChildProcess {
  const args = ["-c", "while :; do :; done"];
  return new Deno.Command("/bin/sh", { args, detached: true, stdin: "null" }).spawn();
}

interface Cells {
  readonly inFlight: number;
  readonly figures: ReadonlyMap<Side, readonly Figures[]>;
}

function documentOf(runtime: string, row: string, { inFlight, figures }: Cells) {
  const sides = Object.fromEntries([...figures].map(([{ name }, rounds]) => [name, rounds]));
  return { runtime, row, seed: Number(values.seed), inFlight, sides };
}

/** The first side's own figure, then the ratios: calls a second, and with more than one in flight processor time a call. */
function lineOf(row: string, { inFlight, sides, figures }: Cells & { readonly sides: readonly Side[] }): string {
  const [first = []] = figures.values();
  const main = (of: Figures) => row === "busy" ? of.p99Us ?? NaN : of.perSecond;
  const cells = sides.map((side, index) => {
    const own = figures.get(side);
    if (own === undefined) return "";
    if (index > 0) return ratio(own, first, main);
    return row === "busy" ? `${median(own.map(main)).toFixed(0)} µs` : thousands(median(own.map(main)));
  });
  return `| ${[ROWS[row], inFlight, ...cells].join(" | ")} |`;
}

/** Of each round by itself, since the machine is not the same from one round to the next. */
function ratio(own: readonly Figures[], first: readonly Figures[], of: (figures: Figures) => number): string {
  return `${median(own.map((figures, round) => of(figures) / of(first[round] ?? figures))).toFixed(2)}×`;
}

function thousands(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : value.toFixed(0);
}
