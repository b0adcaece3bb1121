/** What the system says of a process: its memory, when it was started, what it left uncollected and what is open in it. */

import type { MemoryUsage, OpenHandle } from "../runtime.ts";

export const UNKNOWN_MEMORY: MemoryUsage = { rssBytes: null, pssBytes: null, privateBytes: null };

/** What `read` returns, or undefined where it throws: for what this system may not have, or this process may not see. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Reads the text of Linux' `/proc/PID/smaps_rollup`. */
export function fromSmapsRollup(text: string): MemoryUsage {
  const bytes = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, kibibytes] = /^(\w+):\s+(\d+) kB$/.exec(line) ?? [];
    if (name !== undefined && kibibytes !== undefined) bytes.set(name, Number(kibibytes) * 1024);
  }
  const dirty = bytes.get("Private_Dirty");
  return {
    rssBytes: bytes.get("Rss") ?? null,
    pssBytes: bytes.get("Pss") ?? null,
    privateBytes: dirty === undefined ? null : dirty + (bytes.get("Private_Hugetlb") ?? 0),
  };
}

/** Reads what `ps -o rss= -p PID` prints, where there is no `/proc`. */
export function fromPs(text: string): MemoryUsage {
  const kibibytes = /^\s*(\d+)\s*$/.exec(text)?.[1];
  return kibibytes === undefined ? UNKNOWN_MEMORY : { ...UNKNOWN_MEMORY, rssBytes: Number(kibibytes) * 1024 };
}

/**
 * When a process was started, as the system counts: with the pid it tells one process from any other, ever. The 22nd field of Linux'
 * `/proc/PID/stat`; null where that can't be read.
 */
export function startTimeOf(readStat: () => string): string | null {
  return attempt(() => statFields(readStat())[19]) ?? null;
}

/** From the third field on: the second is the program's name in parentheses, which may hold anything. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The second figure of Linux' `/proc/PID/schedstat`, of the main thread, in milliseconds; 0 where that can't be read. */
export function waitedMsOf(readSchedstat: () => string): number {
  return attempt(() => Number(readSchedstat().split(" ")[1] ?? 0) / 1e6) ?? 0;
}

export interface ProcFiles {
  list(folder: string): Iterable<string>;
  read(path: string): string;
}

/**
 * How many processes have ended and wait for this one to collect them; null where the system does not say. A runtime collects what it
 * has started itself: those are orphans whose last ancestor this process is, as the first process of a container.
 */
export function countZombies({ list, read }: ProcFiles): number | null {
  try {
    let count = 0;
    for (const task of list("/proc/self/task")) {
      for (const pid of read(`/proc/self/task/${task}/children`).split(" ")) if (pid !== "" && isZombie(pid)) count++;
    }
    return count;
  } catch {
    return null;
  }

  function isZombie(pid: string): boolean {
    // It may have been collected meanwhile.
    return attempt(() => statFields(read(`/proc/${pid}/stat`))[0]) === "Z";
  }
}

/** Whether a process of the group has not ended: one that has stays in it until it is collected. True where the system does not say. */
export function groupRuns(group: number, { list, read }: ProcFiles): boolean {
  return attempt(() => Array.from(list("/proc")).some((name) => /^\d+$/.test(name) && isIn(name))) ?? true;

  function isIn(pid: string): boolean {
    const [state, , itsGroup] = attempt(() => statFields(read(`/proc/${pid}/stat`))) ?? [];
    return Number(itsGroup) === group && state !== "Z" && state !== "X";
  }
}

/**
 * What is open in a process, in words that are the same in three runtimes. By the names of Node, which Deno uses too for what came by
 * `node:` modules. What is not here comes and goes by itself.
 */
export const NODE_KINDS: ReadonlyMap<string, string> = new Map([
  ["Timeout", "timer"],
  ["TCPServerWrap", "TCP server"],
  ["TCPSocketWrap", "TCP socket"],
  ["UDPWrap", "UDP socket"],
  ["FSEventWrap", "file watcher"],
  ["StatWatcher", "file watcher"],
  ["ProcessWrap", "child process"],
  ["MessagePort", "message port"],
  ["Worker", "worker thread"],
  ["SignalWrap", "signal handler"],
]);

/** Names in the words of `kinds`, what has none left out, each kind with its count. */
export function countKinds(names: readonly string[], kinds: ReadonlyMap<string, string>): OpenHandle[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const kind = kinds.get(name);
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}

export interface Descriptors {
  list(folder: string): Iterable<string>;
  readLink(path: string): string;
}

/** Where each descriptor of this process leads; empty where there is no `/proc`, or no right to read it. */
export function descriptorLinks({ list, readLink }: Descriptors): Map<number, string> {
  const links = new Map<number, string>();
  for (const fd of attempt(() => Array.from(list("/proc/self/fd"))) ?? []) {
    // That by which the folder was read leads nowhere.
    const link = attempt(() => readLink(`/proc/self/fd/${fd}`));
    if (link !== undefined) links.set(Number(fd), link);
  }
  return links;
}

/** Devices and the like, and the caches of Deno itself. */
const RUNTIME_FILES = /^\/(dev|proc|sys)\/|\/[a-z0-9_]+_cache_v\d+(-wal|-shm|-journal)?$/;

/** The program's own files, of what the links in `/proc/self/fd` say, by descriptor. */
export function filesAmong(links: ReadonlyMap<number, string>): OpenHandle[] {
  const streams = [0, 1, 2].map((fd) => links.get(fd));
  const paths = [...links.values()]
    .filter((link) => link.startsWith("/") && !streams.includes(link) && !RUNTIME_FILES.test(link))
    .map((path) => `file ${path}`);
  return countKinds(paths, new Map(paths.map((path) => [path, path])));
}

/** The descriptors among `links` that lead to something of `kind`, such as `socket:` or `anon_inode:inotify`. */
export function descriptorsOf(links: ReadonlyMap<number, string>, kind: string): number[] {
  return [...links].filter(([, link]) => link.startsWith(kind)).map(([fd]) => fd);
}
