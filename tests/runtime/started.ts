import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill } from "node:process";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Channel, ExitStatus, ProgramProcess, SpawnProgramOptions } from "../../src/runtime/runtime.ts";

export const runtime = await detectRuntime();

const DEADLINE_MS = 15_000;
export const fixture = fixtureUrl("program");

/** What a channel has delivered. */
export interface Received {
  readonly chunks: Uint8Array[];
  readonly bytes: number;
  readonly drained: number;
  readonly closed: (Error | undefined)[];
  text(): string;
  /** Settles when `condition` holds. */
  until(condition: (received: Received) => boolean): Promise<void>;
  readonly end: Promise<void>;
}

/** Opens `channel` and keeps what it delivers. */
export function receive(channel: Channel): Received {
  const chunks: Uint8Array[] = [];
  const closed: (Error | undefined)[] = [];
  const waiting = new Set<() => void>();
  let bytes = 0;
  let drained = 0;
  const notify = () => waiting.forEach((check) => check());
  const received: Received = {
    chunks,
    closed,
    get bytes() {
      return bytes;
    },
    get drained() {
      return drained;
    },
    text: () => chunks.map((chunk) => new TextDecoder().decode(chunk)).join(""),
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (condition(received) && waiting.delete(check)) resolve();
        };
        waiting.add(check);
        check();
      }),
    get end() {
      return received.until(({ closed }) => closed.length > 0);
    },
  };
  channel.open({
    data(chunk) {
      chunks.push(Uint8Array.from(chunk));
      bytes += chunk.length;
      notify();
    },
    drained() {
      drained++;
      notify();
    },
    closed(error) {
      closed.push(error);
      notify();
    },
  });
  return received;
}

export interface StartOptions extends Partial<Omit<SpawnProgramOptions, "env">> {
  readonly mode: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the fixture in a mode. */
export function start({ mode, env, ...options }: StartOptions): Promise<ProgramProcess> {
  return runtime.spawnProgram({
    group: true,
    program: fixture,
    ...options,
    env: (address) => ({ ...runtime.env.all(), ...env, CHANNEL: address, MODE: mode }),
  });
}

/** Starts the fixture for the time of `body`, and leaves nothing of it behind. */
export async function withStarted(
  options: StartOptions,
  body: (process: ProgramProcess, channel: Channel) => Promise<void>,
): Promise<void> {
  const process = await start(options);
  try {
    await within(process.channel.then((channel) => body(process, channel)));
  } finally {
    process.kill("SIGKILL", { group: true });
    await process.exited;
  }
}

/** Runs `body` with an environment variable that is another's before and after. */
export async function withVariable(name: string, value: string, body: () => Promise<void>): Promise<void> {
  const outer = runtime.env.get(name);
  runtime.env.set(name, value);
  try {
    await body();
  } finally {
    if (outer === undefined) runtime.env.remove(name);
    else runtime.env.set(name, outer);
  }
}

/** Runs `body` with a temporary folder of its own, and removes it. */
export async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-test-"));
  try {
    await withVariable("TMPDIR", folder, () => body(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rejects where `promise` has not settled when the deadline comes. */
export async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not settled after ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function sweep(pid: number): void {
  try {
    kill(pid, "SIGKILL");
  } catch {
    // Gone before.
  }
}

/** Until the process is no more, or waits only for whoever adopted it to take note. */
export async function gone(pid: number): Promise<void> {
  for (let round = 0; round < 500 && /^State:\s+[^ZX]/m.test(await statusOf(pid)); round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (/^State:\s+[^ZX]/m.test(await statusOf(pid))) throw new Error(`Process ${pid} is still there`);
}

function statusOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
}

/** Keeps this process from handling any event. */
export function block(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

export const succeeded: ExitStatus = { code: 0, signal: null };

/** The fixtures stand beside the tests, compiled if they are. */
export function fixtureUrl(name: string): string {
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  return new URL(`../fixtures/runtime/${name}${ending}`, import.meta.url).href;
}
