/** The runtime as Bun has it: its clock, and what only a process of Bun knows of itself. */

import { cannotRepeat, common, descriptors, memory as memoryByFiles } from "../builtins/self.ts";
import { process } from "../builtins/process.ts";
import { cannotSandbox, checkSystem, FIXED_FLAGS, folderOf, inRunner, ownFilesOf } from "../posix/program.ts";
import type { Clock, MemoryUsage, OpenHandle, Runtime } from "../runtime.ts";
import { type BunChannel, connect, descriptorChannel } from "./channel.ts";
import type { BunEngine, BunNamespace } from "./namespace.ts";
import { immediate, isFaked, pause, systemClock } from "../posix/clock.ts";
import { countKinds, descriptorsOf, filesAmong, fromSmapsRollup } from "../posix/proc.ts";

declare const Bun: BunNamespace;

/**
 * The runtime as Bun has it. What only a parent process or the control socket needs is loaded where it is used: `node:net` alone costs a
 * process 8 ms.
 */
export function bunRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./spawn.ts");
  return {
    ...common,
    name: "bun",
    version: Bun.version,
    clock: bunClock(),
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: false,
    program: isBinary() ? null : Bun.main,
    programFolder: (program) => folderOf(program ?? (isBinary() ? null : Bun.main)),
    cannotRepeat: () => isTesting() ? inRunner("bun test") : cannotRepeat(/\/\[(eval|stdin)\]$/.test(Bun.main)),
    cannotSandbox: cannotSandbox(`Bun ${Bun.version}`),
    cannotTakeFlags: isBinary() ? FIXED_FLAGS : null,
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await spawning()).spawnCommand(...given),
    spawnDaemon: async (...given) => (await spawning()).spawnDaemon(...given),
    parentChannel,
    listen: async (...given) => (await import("../builtins/channel.ts")).listen(...given),
    connect,
    memory,
    openFiles,
    openHandles,
    collectGarbage,
  };
}

export const CHILD_FD = 3;
export const ADDRESS = `fd:${CHILD_FD}`;

/** The child's side of the channel that `spawn.ts` makes. */
function parentChannel(address: string): Promise<BunChannel> {
  crashOnUncaught();
  if (address === ADDRESS) return descriptorChannel(CHILD_FD);
  return Promise.reject(
    new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    ),
  );
}

/**
 * Lets an uncaught error or unhandled rejection end this process, as it does in Deno and Node: Bun prints it and goes on, and a
 * module in an unknown state would go on answering. A module that listens for them itself decides itself.
 */
function crashOnUncaught(): void {
  process.on("uncaughtException", (error) => crash("uncaughtException", error));
  process.on("unhandledRejection", (reason) => crash("unhandledRejection", reason));
}

function crash(event: "uncaughtException" | "unhandledRejection", error: unknown): void {
  if (process.listenerCount(event) > 1) return;
  common.writeError(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exit(1);
}

declare function reportError(error: unknown): void;

/**
 * The clock as Bun has it. Fake timers of Bun's test runner stop every clock of the process, not only those that a test can replace:
 * then time is known from the engine's timers alone: the end of each shows that its time has passed.
 */
function bunClock(): Clock {
  const clock = systemClock(soon);
  const wallAhead = clock.wall() - clock.now();
  let last = 0;
  const now = () => isFaked() ? last : last = clock.now();
  return {
    ...clock,
    // What an immediate throws is printed without its own stack, and the process goes on.
    throwUncaught: (error) => soon(() => reportError(error)),
    now,
    wall: () => isFaked() ? wallAhead + last : clock.wall(),
    timer(ms, fn) {
      const due = now() + ms;
      return clock.timer(ms, () => {
        last = Math.max(last, due);
        fn();
      });
    },
  };
}

/** The first immediate runs before the sockets are asked again. */
function soon(fn: () => void): void {
  immediate(() => immediate(fn));
}

/** Where a compiled binary says its files are. */
const IN_BINARY = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN)/;

/** Whether this process runs a compiled binary, where all of brokkr is one file. */
export function isBinary(): boolean {
  return IN_BINARY.test(Bun.main);
}

/** Whether this process is Bun's test runner: a test without a function is refused in other words outside of it. */
function isTesting(): boolean {
  try {
    Bun.jest(Bun.main).test();
    return false;
  } catch (error) {
    return String(error).includes("expects a function");
  }
}

/** Without `node:fs`, which costs a new process 2 ms. */
async function memory(pid: number): Promise<MemoryUsage> {
  if (process.platform !== "linux") return await memoryByFiles(pid);
  try {
    return fromSmapsRollup(await Bun.file(`/proc/${pid}/smaps_rollup`).text());
  } catch {
    return await memoryByFiles(pid);
  }
}

/** Without `node:fs` too. The descriptor by which they are counted is among them. */
// deno-lint-ignore require-await
async function openFiles(): Promise<number | null> {
  try {
    let count = 0;
    const all = new Bun.Glob("*").scanSync({ cwd: "/proc/self/fd", onlyFiles: false, followSymlinks: false });
    for (const _ of all) count++;
    return count;
  } catch {
    return null;
  }
}

/** Objects that Bun keeps alive by itself, by class. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["Timeout", "timer"],
  ["Listener", "socket server"],
  ["HTTPServer", "HTTP server"],
  ["HTTPSServer", "HTTP server"],
  ["DebugHTTPServer", "HTTP server"],
  ["DebugHTTPSServer", "HTTP server"],
  ["TCPSocket", "socket"],
  ["TLSSocket", "socket"],
  ["UDPSocket", "UDP socket"],
  ["Subprocess", "child process"],
]);
/** The channel to the parent process. */
const OWN = "TCPSocket";

/** What keeps a process of Bun alive. Costs next to nothing after a collection, which it makes itself where there was none. */
// deno-lint-ignore require-await
async function openHandles(): Promise<OpenHandle[]> {
  // Not imported: the other runtimes' tools and bundlers would look for it.
  const heapStats: BunEngine["heapStats"] = Reflect.get(process.getBuiltinModule("bun:jsc") ?? {}, "heapStats");
  const names = Object.entries(heapStats().protectedObjectTypeCounts)
    .filter(([name]) => KINDS.has(name))
    .flatMap(([name, count]) => Array<string>(Math.max(0, name === OWN ? count - 1 : count)).fill(name));
  const links = descriptors();
  const watchers = descriptorsOf(links, "anon_inode:inotify").map(() => "inotify");
  return [
    ...countKinds(names, KINDS),
    ...countKinds(watchers, new Map([["inotify", "file watcher"]])),
    ...filesAmong(links),
  ];
}

/** So much less on the heap that the pages behind it are worth waiting for. */
const MUCH_BYTES = 16 * 1024 * 1024;
/** Bun gives pages back from a thread of its own, within this time of the collection. */
const PAGES_MS = 100;

/** Collects garbage; where that was much, settles when its pages are given back too, so that figures read then are right. */
async function collectGarbage(): Promise<boolean> {
  const before = process.memoryUsage().heapUsed;
  Bun.gc(true);
  if (before - process.memoryUsage().heapUsed > MUCH_BYTES) {
    await pause(PAGES_MS);
  }
  return true;
}
