/** Processes that a test file started and left: found by a mark in the environment that all of them inherit. */

import { readdirSync, readFileSync } from "node:fs";

export const MARK = "BROKKR_TEST_RUN";

const RUN = crypto.randomUUID();
let marks = 0;

/** A mark for the processes of one test file. */
export function newMark(): string {
  return `${RUN}.${marks++}.`;
}

/** Kills what all test files of this run have started. */
export function killMarked(): void {
  for (const process of marked(RUN)) kill(process.pid);
}

/** Waits up to `graceMs` for the marked processes to end, kills those that don't, and gives a line for each of them. */
export async function sweep(mark: string, graceMs: number): Promise<string[]> {
  const until = performance.now() + graceMs;
  let left = marked(mark);
  while (left.length > 0 && performance.now() < until) {
    await new Promise((done) => setTimeout(done, 50));
    left = marked(mark);
  }
  for (const process of left) kill(process.pid);
  return left.map(({ pid, command }) => `process ${pid} (${command}) was left behind`);
}

/** Those whose mark begins with `mark`. Only Linux shows the environment of a process; elsewhere nothing is found. */
function marked(mark: string): { pid: number; command: string }[] {
  if (Deno.build.os !== "linux") return [];
  const found: { pid: number; command: string }[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    if (!`\0${read(pid, "environ")}`.includes(`\0${MARK}=${mark}`)) continue;
    found.push({ pid, command: read(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, 200) });
  }
  return found;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return ""; // it ended meanwhile, or is another user's
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
