/** The runtime as Node has it, and what only a process of Node knows of itself. */

import { connect, listen } from "../builtins/channel.ts";
import { cannotRepeat, common, descriptors } from "../builtins/self.ts";
import { fileSystem, process } from "../builtins/process.ts";
import { immediate, systemClock } from "../posix/clock.ts";
import { cannotSandbox, checkSystem, folderOf, fromOrigin, ownFilesOf } from "../posix/program.ts";
import type { OpenHandle, Runtime } from "../runtime.ts";
import { CHILD_WRITES, parentChannel } from "./channel.ts";
import { attempt, countKinds, descriptorsOf, filesAmong, NODE_KINDS } from "../posix/proc.ts";

/** The runtime as Node has it. What not every process needs is loaded where it is used. */
export function nodeRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./spawn.ts");
  return {
    ...common,
    name: "node",
    version: process.versions.node,
    clock: systemClock(immediate),
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: true,
    get program() {
      return runningProgram();
    },
    programFolder: (program) => folderOf(program ?? runningProgram()),
    cannotRepeat: () => cannotRepeat(process.argv[1] === undefined || process.argv[1] === "-"),
    cannotSandbox: cannotSandbox(`Node ${process.versions.node}`),
    cannotTakeFlags: null,
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await spawning()).spawnCommand(...given),
    spawnDaemon: async (...given) => (await spawning()).spawnDaemon(...given),
    parentChannel,
    listen,
    connect,
    openHandles: () => Promise.resolve(openHandles(CHILD_WRITES)),
    collectGarbage,
  };
}

/** The file that this process was started with, if any. */
export function runningProgram(): string | null {
  const [, started] = process.argv;
  if (started === undefined) return null;
  // It may be named without its extension.
  return attempt(() => fileSystem().realpathSync(started)) ?? fromOrigin(started);
}

/** What keeps a process of Node alive, without the standard streams and the channel that end at `lastOwnFd`. */
function openHandles(lastOwnFd: number): OpenHandle[] {
  const links = descriptors();
  const names = process.getActiveResourcesInfo();
  const known = names.filter((name) => /^(TCP|UDP)/.test(name)).length;
  // Node names pipes and unix sockets alike, its own and those of standard streams among them. Only the descriptors show which.
  const local = descriptorsOf(links, "socket:").filter((fd) => fd > lastOwnFd).length - known;
  return [
    ...countKinds(names, NODE_KINDS),
    ...(local > 0 ? [{ kind: "pipe or unix socket", count: local }] : []),
    ...filesAmong(links),
  ];
}

/**
 * Collects garbage and gives the pages back. `gc()` keeps the space for new objects, 32 MiB after a program has loaded much;
 * what the inspector runs gives that back too, without a port or a debugger.
 */
async function collectGarbage(): Promise<boolean> {
  return await collectByInspector() || await collectByEngine();
}

/** False in a build without inspector, and where the permission model forbids it. */
async function collectByInspector(): Promise<boolean> {
  if (!process.features.inspector) return false;
  try {
    const { Session } = await import("node:inspector");
    const session = new Session();
    session.connect();
    try {
      return await new Promise((resolve) => {
        session.post("HeapProfiler.collectGarbage", (error) => resolve(error === null));
      });
    } finally {
      session.disconnect();
    }
  } catch {
    return false;
  }
}

async function collectByEngine(): Promise<boolean> {
  const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  if (typeof collect !== "function") return false;
  collect();
  // Only in a later turn can the second round give back the pages that the first one emptied.
  await new Promise<void>(immediate);
  collect();
  return true;
}
