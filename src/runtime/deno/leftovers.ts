import type { DenoNamespace } from "./namespace.ts";
import { countKinds, type Leftover, NODE_KINDS, openFiles } from "../posix/leftovers.ts";

declare const Deno: DenoNamespace;

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
/** The channel to the father, and what listens for SIGINT and SIGTERM. */
const OWN = ["unixStream", "signal", "signal"];

/** What Deno keeps to itself. Each part may be missing in another version. */
interface Internals {
  readonly core?: { resources?(): Readonly<Record<string, string>> };
  /** Whether a `node:` module was loaded: only then are timers counted, and before it `process` costs 12 ms. */
  readonly __nodeProcessBootstrapped?: boolean;
}

/** What keeps a process of Deno alive, or null where it can't be told. */
export function leftovers(): Leftover[] | null {
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
    ...openFiles(descriptorLinks()),
  ];
}

function nodeNames(): string[] {
  const process: { getActiveResourcesInfo?(): string[] } | undefined = Reflect.get(globalThis, "process");
  return process?.getActiveResourcesInfo?.() ?? [];
}

/** Where each descriptor leads; empty where there is no `/proc`, or no right to read it. */
function descriptorLinks(): Map<number, string> {
  const links = new Map<number, string>();
  try {
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      try {
        links.set(Number(name), Deno.readLinkSync(`/proc/self/fd/${name}`));
      } catch {
        // The descriptor by which the folder was read.
      }
    }
  } catch {
    // Not Linux, or scoped rights.
  }
  return links;
}
