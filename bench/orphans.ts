/**
 * `kill -9` of a broker with many modules and workers, half of them in an endless loop, over and over: how many were gone within 2 s,
 * and how long the last one took.
 *
 *     deno task bench:orphans [--rounds 20] [--modules 20] [--workers 2] [--runtime node,deno,bun]
 */

import { optionsOf } from "./options.ts";
import { median, prepare, spawn } from "./side_by_side.ts";

/** What is promised. */
const LIMIT_MS = 2_000;
/** What is waited for, to tell late from never. */
const DEADLINE_MS = 20_000;

const values = optionsOf("bench:orphans", {
  rounds: "20",
  modules: "20",
  workers: "2",
  runtime: "node,deno,bun",
});

let failed = false;
await prepare();
console.log("| runtime | processes | rounds | all gone in 2 s | median | slowest |");
console.log("|---|---|---|---|---|---|");
for (const runtime of values.runtime.split(",")) {
  const times: number[] = [];
  let processes = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    const pids = await killed(runtime);
    processes = pids.length;
    times.push(await untilGone(pids));
  }
  const good = times.filter((ms) => ms <= LIMIT_MS).length;
  failed ||= good < times.length;
  const cells = [
    runtime,
    processes,
    times.length,
    `${good} of ${times.length}`,
    shown(median(times)),
    shown(Math.max(...times)),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
Deno.exit(failed ? 1 : 0);

/** Starts a broker, and kills it once half of its processes are busy. Returns their pids. */
async function killed(runtime: string): Promise<number[]> {
  const child = spawn(runtime, "orphans.mjs", [values.modules, values.workers]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot measure in ${runtime}: the broker ended, see above`);
    text += value;
  }
  const pids: number[] = JSON.parse(text);
  if (pids.some((pid) => !isAlive(pid))) throw new Error(`Cannot measure in ${runtime}: a process ended by itself`);
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
  return pids;
}

/** Milliseconds until the last of them is gone. */
async function untilGone(pids: readonly number[]): Promise<number> {
  const since = performance.now();
  let left = pids;
  for (;;) {
    left = left.filter(isAlive);
    const ms = performance.now() - since;
    if (left.length === 0) return ms;
    if (ms > DEADLINE_MS) {
      for (const pid of left) Deno.kill(pid, "SIGKILL");
      return Infinity;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** One that has ended and waits to be collected is gone. */
function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

function shown(ms: number): string {
  return Number.isFinite(ms) ? `${ms.toFixed(0)} ms` : "never";
}
