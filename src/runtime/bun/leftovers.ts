import type { BunEngine } from "./namespace.ts";
import { countKinds, descriptorsOf, type Leftover, openFiles } from "../posix/leftovers.ts";
import { descriptorLinks } from "../node/leftovers.ts";

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
/** Not written where it is imported: the other runtimes' tools would look for it. */
const ENGINE = "bun:jsc";
/** The channel to the father. */
const OWN = "TCPSocket";

/** What keeps a process of Bun alive. Costs next to nothing after a collection, which it makes itself where there was none. */
export async function leftovers(): Promise<Leftover[]> {
  const engine: BunEngine = await import(ENGINE);
  const names = Object.entries(engine.heapStats().protectedObjectTypeCounts)
    .filter(([name]) => KINDS.has(name))
    .flatMap(([name, count]) => Array<string>(Math.max(0, name === OWN ? count - 1 : count)).fill(name));
  const links = descriptorLinks();
  const watchers = descriptorsOf(links, "anon_inode:inotify").map(() => "inotify");
  return [
    ...countKinds(names, KINDS),
    ...countKinds(watchers, new Map([["inotify", "file watcher"]])),
    ...openFiles(links),
  ];
}
