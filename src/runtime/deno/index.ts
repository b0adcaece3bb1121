/** The runtime as Deno has it, and what a process of Deno knows of itself and of the machine. */

import { engineTimer, hasEngineTimers, systemClock, timer } from "../posix/clock.ts";
import {
  checkSystem,
  CLUSTER_WORKER,
  currentThread,
  FIXED_FLAGS,
  folderOf,
  fromOrigin,
  inRunner,
  NO_FILE,
  ORIGIN,
  ownFilesOf,
  refusableExit,
} from "../posix/program.ts";
import type { Clock, Environment, MemoryUsage, OpenHandle, Runtime } from "../runtime.ts";
import { connect, connects, connectToParent } from "./channel.ts";
import { type DenoNamespace, ifReadable, isGranted, kill } from "./namespace.ts";
import {
  attempt,
  countKinds,
  countZombies,
  descriptorLinks,
  filesAmong,
  fromPs,
  fromSmapsRollup,
  NODE_KINDS,
  type ProcFiles,
  UNKNOWN_MEMORY,
  waitedMsOf,
} from "../posix/proc.ts";
import { standardErrorOf, unblockedError } from "../posix/standard_error.ts";

declare const Deno: DenoNamespace;
declare const process: { getBuiltinModule(name: string): object };
declare const navigator: { readonly hardwareConcurrency: number };

const FIXED_RIGHTS =
  "a compiled binary has the permissions that it was compiled with: remove them, or start with Deno itself";

/** What starts processes, which is loaded where one is started. */
export type Spawner = Pick<Runtime, "spawnProgram" | "spawnCommand" | "spawnDaemon">;

/**
 * The runtime as Deno has it, with nothing but Deno's own functions: a `node:` import costs a process 22 to 30 ms. What not every
 * process needs is loaded where it is used.
 */
export function denoRuntime(): Runtime {
  checkSystem(Deno.build.os);
  let spawner: Promise<Spawner> | undefined;
  const spawning = () => spawner ??= import("./spawn.ts").then(({ newSpawner }) => newSpawner());
  const clock = systemClock(soon);
  return {
    name: "deno",
    version: Deno.version.deno,
    pid: Deno.pid,
    clock,
    servingClock: servingClock(clock),
    env: environment,
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: true,
    program: program(),
    startedIn: ORIGIN,
    enterFolder,
    fromStart: fromOrigin,
    programFolder: (given) => folderOf(given ?? program()),
    isFolder,
    cannotRepeat,
    cannotSandbox: Deno.build.standalone ? FIXED_RIGHTS : null,
    cannotTakeFlags: Deno.build.standalone ? FIXED_FLAGS : null,
    // Also what is needed later: with no descriptor left, Deno ends with a panic where it has to load a file.
    prepareSpawn: async () => void await Promise.all([spawning(), import("./files.ts")]),
    spawnProgram: async (...given) => await (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => await (await spawning()).spawnCommand(...given),
    spawnDaemon: async (...given) => await (await spawning()).spawnDaemon(...given),
    answers: async (...given) => await (await import("../posix/answers.ts")).answers(...given, connects),
    openInspector: async () => (await import("../posix/inspector.ts")).openInspector(),
    closeInspector: async () => (await import("../posix/inspector.ts")).closeInspector(),
    parentChannel: connectToParent,
    listen: async (...given) => await (await import("./listen.ts")).listen(...given),
    connect,
    files: async () => (await import("./files.ts")).privateFiles,
    sharedFiles: async () => (await import("./files.ts")).sharedFiles(),
    memory,
    waitedMs,
    processors: () => navigator.hardwareConcurrency,
    random: Math.random,
    newId: () => crypto.randomUUID().replaceAll("-", ""),
    heapBytes: () => Deno.memoryUsage().heapUsed,
    openFiles,
    collectGarbage,
    openHandles: () => Promise.resolve(openHandles()),
    thread: currentThread,
    onSignal,
    hasTerminal,
    raise,
    zombies: () => countZombies(proc),
    ...standardError,
    ...ending,
  };
}

declare function addEventListener(type: "unload", fn: () => void): void;

// A missing right is thrown, never read as "not set": a process that can't see its role would take itself for the first one,
// and start others that can't see theirs.
const environment: Environment = {
  get: (name) => Deno.env.get(name),
  set: (name, value) => Deno.env.set(name, value),
  remove(name) {
    // What a process may not read is gone for it.
    if (isGranted({ name: "env", variable: name })) Deno.env.delete(name);
  },
  all: () => Deno.env.toObject(),
};

function program(): string | null {
  const url = Deno.mainModule;
  if (Deno.build.standalone || url === undefined) return null;
  return url.startsWith("file:") ? decodeURIComponent(new URL(url).pathname) : url;
}

const NAMELESS_WORKER =
  'this is a worker, and Deno does not say which file it runs, set "program" to a file that only starts the broker';

/** The names that Deno gives to what is no file. Outside of its test runner a test takes no parameters, and does nothing. */
function cannotRepeat(): string | null {
  if (Deno.test !== undefined && Deno.test.length > 0) return inRunner("deno test");
  // A worker has it from its primary, and so have the processes that a worker starts. The module itself is loaded where it is set only.
  if (Deno.env.get("NODE_CLUSTER_SCHED_POLICY") !== undefined && isClusterWorker()) return CLUSTER_WORKER;
  if (Deno.build.standalone) return null;
  if (Deno.mainModule === undefined) return NAMELESS_WORKER;
  return /\/\$deno\$(eval|stdin|repl)\.\w+$/.test(Deno.mainModule) ? NO_FILE : null;
}

function isClusterWorker(): boolean {
  return Reflect.get(process.getBuiltinModule("node:cluster"), "isWorker") === true;
}

function enterFolder(path: string): string {
  Deno.chdir(path);
  return Deno.cwd();
}

/** Where this process may not look, it takes the folder to be there. */
export function isFolder(path: string): boolean {
  if (!isGranted({ name: "read", path })) return true;
  return attempt(() => Deno.statSync(path).isDirectory) ?? false;
}

// An immediate runs before sockets are asked again, sixty times over; a timer runs after.
function soon(fn: () => void): void {
  timer(0, fn);
}

/** Of this process at once: the thread that would read it in the background costs a new process 2 ms. */
function readSmapsRollup(pid: number): string | Promise<string> {
  const path = `/proc/${pid}/smaps_rollup`;
  return pid === Deno.pid ? ifReadable(path, Deno.readTextFileSync) : ifReadable(path, Deno.readTextFile);
}

async function memory(pid: number): Promise<MemoryUsage> {
  try {
    if (Deno.build.os === "linux") return fromSmapsRollup(await readSmapsRollup(pid));
    const ps = new Deno.Command("ps", {
      args: ["-o", "rss=", "-p", String(pid)],
      env: {},
      clearEnv: true,
      detached: false,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    });
    return fromPs(await new Response(ps.spawn().stdout).text());
  } catch {
    return pid === Deno.pid ? { ...UNKNOWN_MEMORY, rssBytes: Deno.memoryUsage().rss } : UNKNOWN_MEMORY;
  }
}

// deno-lint-ignore require-await
async function openFiles(): Promise<number | null> {
  try {
    let count = 0;
    for (const _ of ifReadable("/proc/self/fd", Deno.readDirSync)) count++;
    return count;
  } catch {
    return null;
  }
}

type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/** So much less on the heap that the pages behind it are worth a second collection. */
const MUCH_BYTES = 1024 * 1024;

/** Plain `gc()` gives nothing back for object data; two collections of last resort do. */
async function collectGarbage(): Promise<boolean> {
  const collect: Collect | undefined = Reflect.get(globalThis, "gc") ?? await shownCollector();
  if (collect === undefined) return false;
  const before = Deno.memoryUsage().heapUsed;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  if (before - Deno.memoryUsage().heapUsed < MUCH_BYTES) return true;
  // Only in a later turn can the second round give back the pages that the first one emptied.
  await new Promise<void>(soon);
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  return true;
}

function waitedMs(pid: number): number {
  return waitedMsOf(() => ifReadable(`/proc/${pid}/schedstat`, Deno.readTextFileSync));
}

export const proc: ProcFiles = { list: namesIn, read: (path) => ifReadable(path, Deno.readTextFileSync) };

function namesIn(folder: string): string[] {
  return Array.from(ifReadable(folder, Deno.readDirSync), ({ name }) => name);
}

/**
 * Of a process that was not started with the flag that shows the collector: nothing but the compiler can give that to a binary. It
 * costs a process 30 ms of `node:` modules.
 */
async function shownCollector(): Promise<Collect | undefined> {
  try {
    const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
    v8.setFlagsFromString("--expose-gc");
    const collect: unknown = vm.runInNewContext("gc");
    return typeof collect === "function" ? (options) => void Reflect.apply(collect, undefined, [options]) : undefined;
  } catch {
    return undefined;
  }
}

function onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP", fn: () => void): () => void {
  Deno.addSignalListener(signal, fn);
  return () => Deno.removeSignalListener(signal, fn);
}

function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

/** A process that may run nothing may not signal itself either: it exits with the code that stands for the signal. */
function raise(signal: "SIGINT" | "SIGTERM"): void {
  try {
    kill(Deno.pid, signal);
  } catch {
    ending.exit(signal === "SIGINT" ? 130 : 143);
  }
}

/** `process.exit` of `node:process` ends in `Deno.exit` too. */
const ending = refusableExit(() => Deno);

/** What every pipe takes at once: what needs no more is spared the 40 ms that `node:fs` costs a process. */
const FIRST_BYTES = 4096;

const standardError = standardErrorOf(unblockedWrite, (fn) => addEventListener("unload", fn));

function unblockedWrite(): (bytes: Uint8Array) => number {
  let first = FIRST_BYTES;
  let write = (bytes: Uint8Array) => Deno.stderr.writeSync(bytes);
  return (bytes) => {
    first -= bytes.length;
    if (first < 0 && first + bytes.length >= 0) write = nodeWrite() ?? write;
    return write(bytes);
  };
}

/** Undefined where this process has not the rights. */
function nodeWrite(): ((bytes: Uint8Array) => number) | undefined {
  const { process } = globalThis;
  const files = process?.getBuiltinModule?.("node:fs");
  if (files === undefined) return undefined;
  try {
    const fd = unblockedError(files, () => {
      const { Socket } = process.getBuiltinModule("node:net");
      streams.push(new Socket({ fd: 2, readable: false, writable: true }));
    });
    return (bytes) => files.writeSync(fd, bytes);
  } catch {
    return undefined;
  }
}

/** Kept, as its end would close the descriptor. */
const streams: unknown[] = [];

/**
 * `clock` with timers of the engine instead of Deno's own, the first of which costs a process 5 ms and 1.3 MiB. They do not keep the
 * process alive, so they are for one that its channel does.
 */
function servingClock(clock: Clock): Clock {
  return hasEngineTimers ? { ...clock, timer: engineTimer } : clock;
}

/** Deno's own names. Files are named by their paths instead. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["tcpListener", "TCP server"],
  ["tcpStream", "TCP socket"],
  ["tlsListener", "TCP server"],
  ["tlsStream", "TCP socket"],
  ["unixListener", "pipe or unix socket"],
  ["unixStream", "pipe or unix socket"],
  ["udpSocket", "UDP socket"],
  ["nodeUdpSocket", "UDP socket"],
  ["fsEvents", "file watcher"],
  ["child", "child process"],
  ["signal", "signal handler"],
]);
/** The channel to the parent process, and what listens for SIGINT and SIGTERM. */
const OWN = ["unixStream", "signal", "signal"];

/** What Deno keeps to itself. Each part may be missing in another version. */
interface Internals {
  readonly core?: { resources?(): Readonly<Record<string, string>> };
  /** Whether a `node:` module was loaded: only then are timers counted, and before it `process` costs 12 ms. */
  readonly __nodeProcessBootstrapped?: boolean;
}

/** What keeps a process of Deno alive; null where this version does not say. */
function openHandles(): OpenHandle[] | null {
  const internals: Internals | undefined = Reflect.get(Deno, Deno.internal);
  const resources = internals?.core?.resources?.();
  if (resources === undefined) return null;
  const names = Object.values(resources);
  for (const own of OWN) if (names.includes(own)) names.splice(names.indexOf(own), 1);
  const counted = countKinds(names, KINDS);
  const byNode = internals?.__nodeProcessBootstrapped === true ? countKinds(nodeNames(), NODE_KINDS) : [];
  return [
    ...counted,
    ...byNode.filter(({ kind }) => !counted.some((other) => other.kind === kind)),
    ...filesAmong(descriptorLinks({ list: namesIn, readLink: (path) => ifReadable(path, Deno.readLinkSync) })),
  ];
}

function nodeNames(): string[] {
  const process: { getActiveResourcesInfo?(): string[] } | undefined = Reflect.get(globalThis, "process");
  return process?.getActiveResourcesInfo?.() ?? [];
}
