import { readdirSync, readlinkSync } from "node:fs";
import { countKinds, descriptorsOf, type Leftover, NODE_KINDS, openFiles } from "../posix/leftovers.ts";
import { process } from "./global.ts";

/** What keeps a process of Node alive, without the standard streams and the channel that end at `lastOwnFd`. */
export function leftovers(lastOwnFd: number): Leftover[] {
  const links = descriptorLinks();
  const names = process.getActiveResourcesInfo();
  const known = names.filter((name) => /^(TCP|UDP)/.test(name)).length;
  // Node names pipes and unix sockets alike, its own and those of standard streams among them. Only the descriptors tell.
  const local = descriptorsOf(links, "socket:").filter((fd) => fd > lastOwnFd).length - known;
  return [
    ...countKinds(names, NODE_KINDS),
    ...(local > 0 ? [{ kind: "pipe or unix socket", count: local }] : []),
    ...openFiles(links),
  ];
}

/** Where each descriptor leads; empty where there is no `/proc`. */
export function descriptorLinks(): Map<number, string> {
  const links = new Map<number, string>();
  try {
    for (const fd of readdirSync("/proc/self/fd")) {
      try {
        links.set(Number(fd), readlinkSync(`/proc/self/fd/${fd}`));
      } catch {
        // The descriptor by which the folder was read.
      }
    }
  } catch {
    // Not Linux.
  }
  return links;
}
