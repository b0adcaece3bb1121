// Two processes of one program over brokkr's channel, with nothing of brokkr between them.
import process from "node:process";
import { measure } from "./load.mjs";

export const isDeno = "Deno" in globalThis;

/** A part of brokkr by its path in `src`. */
export function load(path) {
  return import(isDeno ? `../../src/${path}.ts` : `../../build/bench/src/${path}.js`);
}

/** brokkr's rule of what leaves early. */
export const { FlushPolicy } = await load("core/call/batcher");
export const runtime = await (await load("runtime/detect")).detectRuntime();

/** Runs `answer` with the child's end of the channel, and measures the calls that `caller` makes of the parent's end. */
export async function measurePair(program, { answer, caller }) {
  const address = process.env.BENCH_CHANNEL;
  if (address !== undefined) return answer(await runtime.parentChannel(address));
  const child = await runtime.spawnProgram({
    env: (channel) => ({ ...process.env, BENCH_CHANNEL: channel }),
    group: false,
    program,
  });
  await measure(caller(await child.channel, child.pid));
  process.exit(0);
}

/** Processor time of the child, to 10 ms, for one that understands no question. */
export async function cpuOf(pid) {
  const { readFile } = await import("node:fs/promises");
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1].split(" ");
  return { cpu: (Number(fields[11]) + Number(fields[12])) * 10_000 };
}
