/** How each runtime runs one test file, and whether this machine has it. */

import { BUN, DEV_CONFIG, run } from "../command.ts";
import config from "../../dev/deno.json" with { type: "json" };
import { COLLECT_FLAGS } from "../../tests/fixtures/run_flags.ts";

export type RuntimeName = "deno" | "node" | "bun";

export interface Runner {
  readonly name: RuntimeName;
  readonly version: string;
  /** Deno runs the sources; Node and Bun what was compiled. */
  readonly compiled: boolean;
  readonly fileSuite: boolean;
  command(entry: string, junit: string): readonly string[];
  /** What stands before the file of a program. */
  readonly program: readonly string[];
}

/** Milliseconds that one file may take. */
export const FILE_DEADLINE_MS = 120_000;

/**
 * Types are checked once for all files, by the gate and by the compilation for Node and Bun, and node_modules is complete
 * when the suite runs: with `auto`, processes that start at the same time wait for each other to look at it, and say so.
 */
const DENO_FLAGS = ["-A", "--no-check", "--node-modules-dir=manual"];

/** The runner of `name`, or a text that says what is missing and what to do. */
export async function findRunner(name: RuntimeName): Promise<Runner | string> {
  if (name === "deno") return deno();
  return name === "node" ? await node() : await bun();
}

function deno(): Runner {
  return {
    name: "deno",
    version: Deno.version.deno,
    compiled: false,
    fileSuite: true,
    command: (entry, junit) => [Deno.execPath(), "test", ...DEV_CONFIG, ...DENO_FLAGS, `--junit-path=${junit}`, entry],
    program: [Deno.execPath(), "run", ...DENO_FLAGS, ...COLLECT_FLAGS],
  };
}

async function node(): Promise<Runner | string> {
  const remedy = "install Node 20.19 or later, or leave it out: --runtime deno,bun";
  const version = await output("node", "-p", "process.versions.deno ? '' : process.versions.node");
  // Where there is no Node, Deno takes its place.
  if (version === null || version === "") {
    return `Cannot run the suite in Node: there is no "node" on the PATH; ${remedy}`;
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (!(major > 20 || (major === 20 && minor >= 19))) {
    return `Cannot run the suite in Node: "node" on the PATH is ${version}; ${remedy}`;
  }
  const toStdout = ["--test-reporter=spec", "--test-reporter-destination=stdout"];
  const toFile = (junit: string) => ["--test-reporter=junit", `--test-reporter-destination=${junit}`];
  return {
    name: "node",
    version,
    compiled: true,
    fileSuite: false,
    command: (entry, junit) => ["node", ...toStdout, ...toFile(junit), entry],
    program: ["node"],
  };
}

async function bun(): Promise<Runner | string> {
  const wanted = config.imports.bun.replace("npm:bun@", "");
  const version = await output(BUN, "--version");
  if (version !== wanted) {
    const is = version === null ? "cannot be run" : `is ${version}`;
    return `Cannot run the suite in Bun: dev/node_modules/bun ${is} and should be ${wanted}; run: deno task dev`;
  }
  return {
    name: "bun",
    version,
    compiled: true,
    fileSuite: true,
    // Bun ends a test after 5 s unless told otherwise, the other two never.
    command: (entry, junit) => [
      BUN,
      "test",
      `--timeout=${FILE_DEADLINE_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${junit}`,
      entry,
    ],
    program: [BUN],
  };
}

async function output(...command: string[]): Promise<string | null> {
  try {
    const result = await run(command, { deadlineMs: 20_000 });
    return result.code === 0 ? result.stdout.trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
