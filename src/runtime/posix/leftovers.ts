/** What is open in a process, in words that are the same in three runtimes. */

export interface Leftover {
  readonly kind: string;
  readonly count: number;
}

/** By the names of Node, which Deno uses too for what came by `node:` modules. What is not here comes and goes by itself. */
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
export function countKinds(names: readonly string[], kinds: ReadonlyMap<string, string>): Leftover[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const kind = kinds.get(name);
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}

/** Devices and the like, and the caches of Deno itself. */
const RUNTIME_FILES = /^\/(dev|proc|sys)\/|\/[a-z0-9_]+_cache_v\d+(-wal|-shm|-journal)?$/;

/** The program's own files, of what the links in `/proc/self/fd` say, by descriptor. */
export function openFiles(links: ReadonlyMap<number, string>): Leftover[] {
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
