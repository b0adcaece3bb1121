/** What a process knows of itself and of the machine, by what Node and Bun have in common. */

import {
  attempt,
  countZombies,
  descriptorLinks,
  fromPs,
  fromSmapsRollup,
  groupRuns,
  type ProcFiles,
  startTimeOf,
  UNKNOWN_MEMORY,
  waitedMsOf,
} from "../posix/proc.ts";
import {
  CLUSTER_WORKER,
  currentThread,
  fromOrigin,
  inRunner,
  NO_FILE,
  ORIGIN,
  refusableExit,
  runnerOf,
} from "../posix/program.ts";
import { standardErrorOf, unblockedError } from "../posix/standard_error.ts";
import type { GroupTools, System } from "../posix/child_process.ts";
import type { Endpoint, Environment, MemoryUsage, Runtime } from "../runtime.ts";
import { fileSystem, process } from "./process.ts";

const environment: Environment = {
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

export async function memory(pid: number): Promise<MemoryUsage> {
  try {
    if (process.platform === "linux") return fromSmapsRollup(await readSmapsRollup(pid));
    const [{ execFile }, { promisify }] = await Promise.all([import("node:child_process"), import("node:util")]);
    return fromPs((await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)])).stdout);
  } catch {
    return pid === process.pid ? { ...UNKNOWN_MEMORY, rssBytes: process.memoryUsage.rss() } : UNKNOWN_MEMORY;
  }
}

/** Of this process at once: the threads that would read it in the background cost a new process more. */
function readSmapsRollup(pid: number): string | Promise<string> {
  const path = `/proc/${pid}/smaps_rollup`;
  const { promises, readFileSync } = fileSystem();
  return pid === process.pid ? readFileSync(path, "utf8") : promises.readFile(path, "utf8");
}

/** In Bun this is the size of the heap that its engine reports. */
function heapBytes(): number {
  return process.memoryUsage().heapUsed;
}

// deno-lint-ignore require-await
async function openFiles(): Promise<number | null> {
  return attempt(() => fileSystem().readdirSync("/proc/self/fd").length) ?? null;
}

/** Where each descriptor of this process leads. */
export function descriptors(): Map<number, string> {
  const { readdirSync, readlinkSync } = fileSystem();
  return descriptorLinks({ list: (folder) => readdirSync(folder), readLink: (path) => readlinkSync(path) });
}

function processors(): number {
  return process.getBuiltinModule("node:os").availableParallelism();
}

const proc: ProcFiles = {
  list: (folder) => fileSystem().readdirSync(folder),
  read: (path) => fileSystem().readFileSync(path, "utf8"),
};

function waitedMs(pid: number): number {
  return waitedMsOf(() => fileSystem().readFileSync(`/proc/${pid}/schedstat`, "utf8"));
}

function onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP", fn: () => void): () => void {
  const listener = () => fn();
  process.on(signal, listener);
  return () => void process.off(signal, listener);
}

function hasTerminal(): boolean {
  const { isatty } = process.getBuiltinModule("node:tty");
  return [0, 1, 2].some((fd) => isatty(fd));
}

function raise(signal: "SIGINT" | "SIGTERM"): void {
  process.kill(process.pid, signal);
}

function unblockedWrite(): (bytes: Uint8Array) => number {
  const files = fileSystem();
  let fd = 2;
  try {
    // Both runtimes unblock the descriptor of a stream that they make.
    fd = unblockedError(files, () => void process.stderr);
  } catch {
    // There is none.
  }
  return (bytes) => files.writeSync(fd, bytes);
}

function enterFolder(path: string): string {
  process.chdir(path);
  return process.cwd();
}

export function isFolder(path: string): boolean {
  return attempt(() => fileSystem().statSync(path).isDirectory()) ?? false;
}

const PM2_CLUSTER = "PM2 runs this process in cluster mode, where a new process of its program does not get there, " +
  'start it in fork mode (pm2 start without -i, or exec_mode: "fork") or set "program" to its file';

/** The runner that this process runs, by its file: a link to it in the folder of executables is followed. */
function testRunner(): string | null {
  const file = process.argv[1] ?? "";
  return runnerOf(attempt(() => fileSystem().realpathSync(file)) ?? file);
}

/** Why a new process can't run the program of this one, in Node and in Bun; null where it can. */
export function cannotRepeat(isNoFile: boolean): string | null {
  const runner = testRunner();
  if (runner !== null) return inRunner(runner);
  if (isNoFile) return NO_FILE;
  // A worker has a channel to its primary. `node:cluster` is loaded where there is one only.
  if (process.send === undefined || Reflect.get(process.getBuiltinModule("node:cluster"), "isWorker") !== true) {
    return null;
  }
  return process.env["pm_exec_path"] === undefined ? CLUSTER_WORKER : PM2_CLUSTER;
}

/** Absolute, as the new process may have another working directory. */
export function programPath(program: string): string {
  return program.startsWith("file:")
    ? process.getBuiltinModule("node:url").fileURLToPath(program)
    : fromOrigin(program);
}

/** How processes are signalled, and told from others that got their pid later. */
export const system: System = {
  kill: process.kill,
  startTime: (pid) => startTimeOf(() => proc.read(`/proc/${pid}/stat`)),
  groupRuns: (group) => groupRuns(group, proc),
};

export const groupTools: GroupTools = {
  canRun: (path) => fileSystem().existsSync(path),
  read: (path) => fileSystem().readFileSync(path, "utf8"),
};

/** What the runtimes of Node and Bun have in common. */
export const common = {
  pid: process.pid,
  env: environment,
  startedIn: ORIGIN,
  enterFolder,
  fromStart: fromOrigin,
  isFolder,
  files: async () => (await import("./files.ts")).privateFiles,
  sharedFiles: async () => (await import("./files.ts")).sharedFiles(),
  memory,
  processors,
  zombies: () => countZombies(proc),
  waitedMs,
  random: Math.random,
  newId: () => crypto.randomUUID().replaceAll("-", ""),
  heapBytes,
  openFiles,
  thread: currentThread,
  onSignal,
  hasTerminal,
  raise,
  ...standardErrorOf(unblockedWrite, (fn) => void process.once("exit", fn)),
  ...refusableExit(() => process),
  async answers(endpoint: Endpoint, ms: number) {
    const [{ answers }, { connects }] = await Promise.all([import("../posix/answers.ts"), import("./channel.ts")]);
    return await answers(endpoint, ms, connects);
  },
  openInspector: async () => (await import("../posix/inspector.ts")).openInspector(),
  closeInspector: async () => (await import("../posix/inspector.ts")).closeInspector(),
} satisfies Partial<Runtime>;
