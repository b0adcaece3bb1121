import { writeSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import process from "node:process";
import { fromPs, fromSmapsRollup, UNKNOWN_MEMORY } from "./memory_figures.ts";
import type { Environment, MemoryFigures } from "./runtime.ts";
import { writeWhole } from "./write_error.ts";

/** What a process knows of itself and of the machine, by what Node and Bun have in common. */

export const environment: Environment = {
  get: (name) => process.env[name],
  set(name, value) {
    process.env[name] = value;
  },
  remove(name) {
    delete process.env[name];
  },
  all() {
    const all: Record<string, string> = {};
    for (const [name, value] of Object.entries(process.env)) if (value !== undefined) all[name] = value;
    return all;
  },
};

export async function memory(pid: number): Promise<MemoryFigures> {
  try {
    if (process.platform === "linux") return fromSmapsRollup(await readFile(`/proc/${pid}/smaps_rollup`, "utf8"));
    const [{ execFile }, { promisify }] = await Promise.all([import("node:child_process"), import("node:util")]);
    return fromPs((await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)])).stdout);
  } catch {
    return pid === process.pid ? { ...UNKNOWN_MEMORY, rssBytes: process.memoryUsage.rss() } : UNKNOWN_MEMORY;
  }
}

/** In Bun this is what its engine tells as the size of its heap. */
export function heapBytes(): number {
  return process.memoryUsage().heapUsed;
}

export async function openFiles(): Promise<number | null> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch {
    return null;
  }
}

export function onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP", fn: () => void): () => void {
  const listener = () => fn();
  process.on(signal, listener);
  return () => void process.off(signal, listener);
}

let exitProcess: typeof process.exit | undefined;

export function exit(code: number): never {
  return (exitProcess ?? process.exit)(code);
}

export function refuseExit(refusal: (code: unknown) => Error): () => void {
  const own = exitProcess = process.exit;
  process.exit = (code) => {
    throw refusal(code);
  };
  return () => {
    process.exit = own;
    exitProcess = undefined;
  };
}

export function writeError(text: string): void {
  writeWhole(text, (bytes) => writeSync(2, bytes));
}
