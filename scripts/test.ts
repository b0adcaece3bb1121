/**
 * Runs the suite: every tests/**\/*.test.ts in Deno from its source, in Node and Bun from what is compiled and against the
 * built npm package. The last line is the sum over all of them.
 *
 * What stands in tests/world gets programs of others from the registry, such as runtimes that are too old: it is a second tier, which
 * runs with --world, in Deno alone.
 */

import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { files } from "./build_npm.ts";
import { ROOT, stopOnSignals } from "./command.ts";
import { readOptions } from "./options.ts";
import { compileSuite } from "./suite/compiled.ts";
import { killMarked } from "./suite/leftovers.ts";
import { Report, seconds, sumText } from "./suite/report.ts";
import { runFile } from "./suite/run_file.ts";
import { FILE_DEADLINE_MS, findRunner, type Runner, type RuntimeName } from "./suite/runners.ts";

const RUNTIMES: readonly RuntimeName[] = ["deno", "node", "bun"];
/** Of one runtime: about twice what it takes on two processors with nothing else to do. */
const SUITE_DEADLINE_MS = 10 * 60_000;
const WORLD = "tests/world/";
/** Much of it is waiting for downloads, and it runs counts to their end. */
const WORLD_DEADLINE_MS = 24 * 60_000;
const WORLD_FILE_DEADLINE_MS = 10 * 60_000;
const USAGE = `deno task test [--runtime deno,node,bun] [--jobs N] [PART OF A PATH...]
deno task test:world [--jobs N] [PART OF A PATH...]`;

interface Options {
  readonly runtimes: readonly RuntimeName[];
  readonly jobs: number;
  readonly world: boolean;
  readonly parts: readonly string[];
}

async function main(): Promise<boolean> {
  const { runtimes, jobs, parts, world } = readOptions(USAGE, options);
  const paths = (await testFiles(parts)).filter((path) => path.startsWith(WORLD) === world);
  const fileDeadlineMs = world ? WORLD_FILE_DEADLINE_MS : FILE_DEADLINE_MS;
  const deadlineMs = world ? WORLD_DEADLINE_MS : SUITE_DEADLINE_MS;
  const report = new Report();
  const runners: Runner[] = [];
  for (const name of runtimes) {
    const runner = await findRunner(name);
    if (typeof runner === "string") report.fail(name, "tests", runner);
    else runners.push(runner);
  }

  for (const runner of runners.filter((runner) => !runner.compiled)) await runSuite(runner, ROOT, paths);
  const compiled = runners.filter((runner) => runner.compiled);
  const [first] = compiled;
  if (first !== undefined && paths.length > 0) {
    using suite = await compileSuite();
    if (suite.messages !== "") report.fail(first.name, "the compilation", suite.messages);
    for (const runner of compiled) await runSuite(runner, suite.folder, paths);
  }

  report.summarize();
  if (!world && parts.length === 0) await nameOthers();
  const sum = report.sum();
  const nothing = sum.passed + sum.failed === 0;
  if (nothing) console.log(`Nothing ran: no test file in tests/ has ${parts.join(" or ") || "the ending .test.ts"}`);
  console.log(sumText(sum));
  return sum.failed === 0 && !nothing;

  async function runSuite(runner: Runner, folder: string, paths: readonly string[]): Promise<void> {
    const started = performance.now();
    console.log(`\n${runner.name} ${runner.version}: ${paths.length} files`);
    const queue = [...paths];
    const take = async () => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        const leftMs = started + deadlineMs - performance.now();
        const file = join(folder, runner.compiled ? path.replace(/\.ts$/, ".js") : path);
        if (leftMs > 0) report.add(runner.name, path, await runFile(runner, file, Math.min(fileDeadlineMs, leftMs)));
        else report.fail(runner.name, path, `not run: the suite's ${deadlineMs / 60_000} minutes are over`);
      }
    };
    await Promise.all(Array.from({ length: jobs }, take));
    console.log(`${runner.name}: ${sumText(report.sum(runner.name))} in ${seconds(performance.now() - started)}`);
  }
}

/** What this run has left out, which may be taken for tested otherwise. */
async function nameOthers(): Promise<void> {
  for (const path of (await testFiles([])).filter((path) => path.startsWith(WORLD))) {
    const text = await Deno.readTextFile(join(ROOT, path));
    for (const [, title] of text.matchAll(/^ *test\(\s*["`](.*?)["`],/gm)) {
      console.log(`only deno task test:world: ${path}: ${title?.replaceAll(/\$\{([^}]*)\}/g, "<$1>")}`);
    }
  }
}

async function testFiles(parts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const file of files(join(ROOT, "tests"), ".test.ts")) {
    const path = relative(ROOT, file);
    if (parts.length === 0 || parts.some((part) => path.includes(part.replace(/^\.\//, "")))) found.push(path);
  }
  return found.sort();
}

/** @throws {TypeError} */
function options(): Options {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      runtime: { type: "string", multiple: true, short: "r" },
      jobs: { type: "string" },
      world: { type: "boolean", default: false },
    },
  });
  const names = values.runtime?.flatMap((names) => names.split(","));
  if (values.world && names !== undefined) throw new TypeError("--world takes no --runtime, as Deno runs its files");
  const chosen = values.world ? ["deno"] : names;
  const runtimes = RUNTIMES.filter((name) => chosen === undefined || chosen.includes(name));
  const unknown = names?.find((name) => !runtimes.some((known) => known === name));
  if (unknown !== undefined) throw new TypeError(`--runtime "${unknown}" is none of ${RUNTIMES.join(", ")}`);
  // Much of a test is waiting for processes, so one more file than processors runs at a time.
  const jobs = Number(values.jobs ?? navigator.hardwareConcurrency + 1);
  if (!(Number.isInteger(jobs) && jobs > 0)) throw new TypeError(`--jobs "${values.jobs}" is not a positive number`);
  return { runtimes, jobs, parts: positionals, world: values.world };
}

stopOnSignals(killMarked);
Deno.exit(await main() ? 0 : 1);
