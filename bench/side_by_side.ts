/** Running the programs of a comparison: a fresh process for each figure, in each runtime. */

import { join } from "node:path";
import { buildNpm } from "../scripts/build_npm.ts";
import { BUN, DEV, ROOT } from "../scripts/command.ts";
import { tsc } from "../scripts/tsc.ts";

const SOURCES = join(ROOT, "build/bench");

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  node: ["node"],
  deno: [Deno.execPath(), "run", "-A"],
  bun: [BUN],
};

/** Builds the package that the programs use in Node and Bun, and lets them find what they compare it with. */
export async function prepare(): Promise<void> {
  await Deno.symlink(join(DEV, "node_modules"), join(ROOT, "bench/node_modules")).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  const messages = await buildNpm(`${ROOT}/npm`);
  if (messages !== "") throw new Error(`Cannot build npm/: ${messages}`);
  await compileSources();
}

/** Compiles the sources, a file each, for the programs that measure a part of brokkr in Node and Bun. */
export async function compileSources(): Promise<void> {
  const messages = await tsc("scripts/tsconfig.npm.json", "--declaration", "false", "--outDir", SOURCES);
  if (messages !== "") throw new Error(`Cannot compile the sources: ${messages}`);
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  /** On one processor only. @default false */
  readonly pinned?: boolean;
}

/** What `programs/PROGRAM` prints in `runtime`, one JSON document. */
export async function run<T>(runtime: string, program: string, options: RunOptions): Promise<T> {
  const known = COMMANDS[runtime];
  if (known === undefined) {
    throw new Error(`Cannot measure in "${runtime}": it must be one of ${Object.keys(COMMANDS).join(", ")}`);
  }
  const [command = runtime, ...args] = [...options.pinned ? ["taskset", "1"] : [], ...known];
  const { stdout, success } = await new Deno.Command(command, {
    args: [...args, pathOf(program)],
    // A list of certificates costs every start of Node 55 ms.
    env: { ...options.env, NODE_EXTRA_CA_CERTS: "" },
    stderr: "inherit",
  }).output();
  if (!success || stdout.length === 0) {
    throw new Error(`Cannot measure ${program} in ${runtime}: it ${success ? "printed nothing" : "failed, see above"}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Starts `programs/PROGRAM` in `runtime`; its standard output is the caller's. */
export function spawn(runtime: string, program: string, args: readonly string[]): Deno.ChildProcess {
  return command(runtime, [pathOf(program), ...args], { NODE_EXTRA_CA_CERTS: "" }, "piped").spawn();
}

function pathOf(program: string): string {
  return join(ROOT, "bench/programs", program);
}

/** A program of `runtime`. */
export function command(
  runtime: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdout: "null" | "piped" = "null",
): Deno.Command {
  const [executable = "", ...before] = COMMANDS[runtime] ?? [];
  return new Deno.Command(executable, {
    args: [...before, ...args],
    env: { ...env },
    stdin: "null",
    stdout,
    stderr: "null",
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}
