/**
 * Asks the suite what it would notice: puts one made-up fault after the other into a copy of the sources and runs the tests in
 * Deno until one fails. A fault that no test sees is printed with its place; whether it changes anything at all is for a reader
 * to say.
 */

import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { exists, files } from "./build_npm.ts";
import { ROOT, run, stopOnSignals } from "./command.ts";
import { readOptions } from "./options.ts";
import { type Mutant, mutantsOf, randomOf, sampleOf } from "./mutate/mutants.ts";

const USAGE = "deno task mutate [FOLDER] [--sample N] [--seed N] [--jobs N] [--only core|all]";
const TEST = [
  "test",
  "-A",
  "--no-check",
  "--config",
  "dev/deno.json",
  "--node-modules-dir=manual",
  "--fail-fast",
  "--quiet",
];
/** A fault may make a test wait for ever. */
const DEADLINE_MS = 180_000;

interface Options {
  readonly folder: string;
  readonly sample: number;
  readonly seed: number;
  readonly jobs: number;
  /** Folders of tests, the fast and near ones first. */
  readonly tests: readonly string[];
}

async function main(): Promise<boolean> {
  const { folder, sample, seed, jobs, tests } = readOptions(USAGE, options);
  const all: Mutant[] = [];
  for await (const path of files(join(ROOT, folder), ".ts")) {
    if (path.endsWith(".d.ts")) continue;
    all.push(...mutantsOf(relative(ROOT, path), await Deno.readTextFile(path)));
  }
  if (all.length === 0) throw new Error(`Cannot make faults: ${folder} has no TypeScript to change`);
  const chosen = sampleOf(all.sort(byPlace), sample, randomOf(seed));
  console.log(`${chosen.length} of ${all.length} faults in ${folder}, seed ${seed}`);

  const trees = await Promise.all(
    Array.from({ length: jobs }, (_, at) => copyTree(join(ROOT, "build/mutate", `${at}`))),
  );
  const [first] = trees;
  const broken = first && await failure(first, tests);
  if (broken !== null) {
    console.error(`Cannot ask the suite: ${broken} fails without a made-up fault`);
    return false;
  }
  const survivors: Mutant[] = [];
  const queue = [...chosen];
  await Promise.all(trees.map(async (tree) => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const noticed = await tryMutant(tree, mutant, tests);
      if (noticed === null) survivors.push(mutant);
      console.log(`${noticed === null ? "SURVIVED" : "killed  "} ${mutant.path}:${mutant.line} ${mutant.change}`);
    }
  }));

  const killed = chosen.length - survivors.length;
  console.log(`\n${killed} killed, ${survivors.length} survived (${percent(killed, chosen.length)} noticed)`);
  for (const mutant of survivors.sort(byPlace)) console.log(`  ${mutant.path}:${mutant.line} ${mutant.change}`);
  return true;
}

/** The file of tests that notices the fault, or null. */
async function tryMutant(tree: string, mutant: Mutant, tests: readonly string[]): Promise<string | null> {
  const path = join(tree, mutant.path);
  const source = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end));
  try {
    return await failure(tree, [mirrorOf(mutant.path), ...tests]);
  } finally {
    await Deno.writeTextFile(path, source);
  }
}

/** The first of `folders` in which a test fails, or null. */
async function failure(tree: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    if (!await exists(join(tree, folder))) continue;
    const parallel = folder.startsWith("tests/core") ? ["--parallel"] : [];
    const command = [Deno.execPath(), ...TEST, ...parallel, folder];
    if ((await run(command, { cwd: tree, deadlineMs: DEADLINE_MS })).code !== 0) return folder;
  }
  return null;
}

/** The tests mirror the sources. */
function mirrorOf(path: string): string {
  return dirname(path).replace(/^src/, "tests");
}

/** What git has, and the packages as links. */
async function copyTree(to: string): Promise<string> {
  await Deno.remove(to, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const { stdout } = await run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const path of stdout.split("\0").filter((path) => path !== "")) {
    if (!await exists(join(ROOT, path))) continue;
    await Deno.mkdir(join(to, dirname(path)), { recursive: true });
    await Deno.copyFile(join(ROOT, path), join(to, path));
  }
  for (const name of ["node_modules", "dev/node_modules"]) await Deno.symlink(join(ROOT, name), join(to, name));
  return to;
}

function byPlace(a: Mutant, b: Mutant): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.start - b.start;
}

function percent(part: number, whole: number): string {
  return `${(100 * part / whole).toFixed(1)} %`;
}

/** @throws {TypeError} */
function options(): Options {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      sample: { type: "string", default: "40" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      jobs: { type: "string", default: "1" },
      only: { type: "string", default: "all" },
    },
  });
  const [folder = "src/core", ...more] = positionals;
  if (more.length > 0) throw new TypeError(`"${more[0]}" is one folder too many`);
  if (values.only !== "core" && values.only !== "all") {
    throw new TypeError(`--only "${values.only}" is neither core nor all`);
  }
  const core = ["tests/core"];
  return {
    folder: relative(ROOT, join(ROOT, folder)),
    sample: positive("sample", values.sample),
    seed: positive("seed", values.seed),
    jobs: positive("jobs", values.jobs),
    tests: values.only === "core" ? core : [...core, "tests/process", "tests/cli", "tests/runtime", "tests/examples"],
  };
}

/** @throws {TypeError} */
function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new TypeError(`--${name} "${text}" is not a positive whole number`);
}

stopOnSignals();
Deno.exit(await main() ? 0 : 1);
