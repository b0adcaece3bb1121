/**
 * `brokkr logs` over a large log, beside `grep -c` and `wc -l` of the same file: in the standalone binary, in Node and in Deno.
 *
 *     deno task bench:logs [--bytes 1GB] [--rounds 3] [--runtime binary,bun,node,deno]
 */

import { join } from "node:path";
import { BINARY, compileWithBun } from "../scripts/compile_bun.ts";
import { BUN, ROOT } from "../scripts/command.ts";
import { writeLog } from "./log_file.ts";
import { optionsOf } from "./options.ts";
import { median, prepare } from "./side_by_side.ts";

const values = optionsOf("bench:logs", {
  bytes: "1GB",
  rounds: "3",
  runtime: "binary,bun,node,deno",
});

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

interface Run {
  readonly seconds: number;
  /** Of all its threads. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

const folder = await Deno.makeTempDir({ prefix: "brokkr-bench-logs-" });
try {
  await measure(join(folder, "bench.log"));
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure(file: string): Promise<void> {
  const bytes = bytesOf(values.bytes);
  await writeLog(file, bytes);
  const commands = await commandsFor(file);
  const runs = new Map([...commands.keys()].map((name) => [name, [] as Run[]]));
  // The first reading fills the system's cache.
  await run(["wc", "-l", file]);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, command] of commands) runs.get(name)?.push(await run(command));
  }
  const size = (await Deno.stat(file)).size;
  const grep = median(runs.get("grep -c")?.map(({ cpuSeconds }) => cpuSeconds) ?? []);
  console.log(`${(size / 1e9).toFixed(2)} GB, medians of ${values.rounds} rounds, start of each process included`);
  console.log("| command | seconds | MB/s | MB/s of CPU time | CPU time to grep -c | peak memory |");
  console.log("|---|---|---|---|---|---|");
  for (const [name, all] of runs) {
    const seconds = median(all.map((one) => one.seconds));
    const cpuSeconds = median(all.map((one) => one.cpuSeconds));
    const peak = Math.max(...all.map((one) => one.peakBytes)) / 1_048_576;
    const cells = [
      name,
      seconds.toFixed(2),
      (size / 1e6 / seconds).toFixed(0),
      (size / 1e6 / cpuSeconds).toFixed(0),
      `${(cpuSeconds / grep).toFixed(1)}×`,
      `${peak.toFixed(0)} MiB`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

async function commandsFor(file: string): Promise<Map<string, readonly string[]>> {
  await prepare();
  const logs = ["logs", "--json", file];
  const cli = join(ROOT, "npm/cli.js");
  const known = new Map<string, readonly string[]>([
    ["bun", [BUN, cli, ...logs]],
    ["node", ["node", cli, ...logs]],
    ["deno", [Deno.execPath(), "run", "-A", join(ROOT, "cli.ts"), ...logs]],
    ["binary", [BINARY, ...logs]],
  ]);
  const commands = new Map<string, readonly string[]>([
    ["wc -l", ["wc", "-l", file]],
    ["grep -c", ["grep", "-c", "because of timeout", file]],
  ]);
  for (const runtime of values.runtime.split(",")) {
    const command = known.get(runtime);
    if (command === undefined) {
      throw new Error(`Cannot measure in "${runtime}": it must be one of ${[...known.keys()].join(", ")}`);
    }
    if (runtime === "binary") {
      const wrong = await compileWithBun();
      if (wrong !== "") throw new Error(wrong);
    }
    commands.set(`brokkr logs (${runtime})`, command);
  }
  return commands;
}

/** On one processor, so that a runtime's threads for collecting garbage count too. */
async function run(command: readonly string[]): Promise<Run> {
  const figures = await Deno.makeTempFile({ dir: folder });
  const [program, ...args] = ["taskset", "1", "/usr/bin/time", "-f", "%e %U %S %M", "-o", figures, ...command];
  const { success } = await new Deno.Command(program ?? "", {
    args,
    // Not to /dev/null: grep would end at its first match.
    stdout: "piped",
    stderr: "inherit",
    env: { NODE_EXTRA_CA_CERTS: "" },
  }).output();
  if (!success) throw new Error(`Cannot measure: ${command.join(" ")} failed, see above`);
  const [seconds = NaN, user = NaN, system = NaN, kibibytes = NaN] = (await Deno.readTextFile(figures)).trim().split(
    " ",
  )
    .map(Number);
  return { seconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
}

function bytesOf(text: string): number {
  const [, count, unit = ""] = /^(\d+)(MB|GB)$/.exec(text) ?? [];
  const bytes = Number(count) * (UNITS[unit] ?? NaN);
  if (Number.isNaN(bytes)) throw new Error(`Cannot make a log of "${text}": it must be such as 200MB or 1GB`);
  return bytes;
}
