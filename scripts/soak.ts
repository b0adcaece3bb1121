/**
 * Random faults against random calls, on a real broker: at the end no wrong answer, no orphan, no zombie, descriptors and memory flat.
 *
 *     deno task soak [MINUTES] [--runtime deno|node|bun|all] [--seed N]
 *
 * The minutes are shared by the runtimes. A seed repeats what is chosen, not when it comes to pass.
 */

import { parseArgs } from "node:util";
import { ROOT, stopOnSignals } from "./command.ts";
import { readOptions } from "./options.ts";
import { runSoak, type SoakResult, table } from "./soak/run_soak.ts";
import { compileSuite } from "./suite/compiled.ts";
import { killMarked } from "./suite/leftovers.ts";
import { findRunner, type Runner, type RuntimeName } from "./suite/runners.ts";

const RUNTIMES: readonly RuntimeName[] = ["deno", "node", "bun"];
const USAGE = "deno task soak [MINUTES] [--runtime deno|node|bun|all] [--seed N]";

interface Options {
  readonly minutes: number;
  readonly runtimes: readonly RuntimeName[];
  readonly seed: number;
}

async function main({ minutes, runtimes, seed }: Options): Promise<boolean> {
  const seconds = Math.max(1, Math.round(minutes * 60 / runtimes.length));
  const results: SoakResult[] = [];
  for (const name of runtimes) {
    console.error(`${name}: ${seconds} s, seed ${seed}`);
    const runner = await findRunner(name);
    results.push(
      typeof runner === "string"
        ? { runtime: name, report: undefined, failures: [runner] }
        : await soaked(runner, { seed, seconds }),
    );
  }
  console.log(table(results));
  const failures = results.flatMap(({ runtime, failures }) => failures.map((text) => `${runtime}: ${text}`));
  for (const failure of failures) console.log(failure);
  const again = `deno task soak ${minutes} --runtime ${runtimes.length === 1 ? runtimes[0] : "all"} --seed ${seed}`;
  console.log(
    failures.length === 0 ? `\nnothing wrong, seed ${seed}` : `\n${failures.length} failures; again: ${again}`,
  );
  return failures.length === 0;
}

async function soaked(runner: Runner, options: { seed: number; seconds: number }): Promise<SoakResult> {
  if (!runner.compiled) return await runSoak(runner, { ...options, folder: ROOT });
  using suite = await compileSuite();
  if (suite.messages === "") return await runSoak(runner, { ...options, folder: suite.folder });
  return { runtime: runner.name, report: undefined, failures: [`the compilation: ${suite.messages}`] };
}

/** @throws {TypeError} */
function options(): Options {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { runtime: { type: "string", default: "all" }, seed: { type: "string" } },
  });
  const [minutesText = "2", tooMany] = positionals;
  if (tooMany !== undefined) throw new TypeError(`"${tooMany}" is one argument too many`);
  const minutes = Number(minutesText);
  if (!(minutes > 0)) throw new TypeError(`"${minutesText}" is not a number of minutes above 0`);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  if (!(Number.isInteger(seed) && seed >= 0)) throw new TypeError(`--seed "${values.seed}" is not a whole number`);
  const runtimes = RUNTIMES.filter((name) => values.runtime === "all" || values.runtime === name);
  if (runtimes.length === 0) throw new TypeError(`--runtime "${values.runtime}" is none of deno, node, bun, all`);
  return { minutes, runtimes, seed };
}

if (Deno.build.os !== "linux") {
  console.error("Cannot soak: what is left behind is looked for in /proc, which only Linux has");
  Deno.exit(2);
}
const chosen = readOptions(USAGE, options);
stopOnSignals(killMarked);
Deno.exit(await main(chosen) ? 0 : 1);
