import { connect, listen } from "../builtins/channel.ts";
import * as self from "../builtins/self.ts";
import { process } from "../builtins/self.ts";
import { immediate, systemClock } from "../posix/clock.ts";
import { cannotSandbox, checkSystem, folderOf, fromOrigin, ORIGIN, ownFilesOf } from "../posix/program.ts";
import { currentThread } from "../posix/thread.ts";
import type { Runtime } from "../runtime.ts";
import { CHILD_WRITES, parentChannel } from "./channel.ts";
import { collectGarbage, openHandles, runningProgram } from "./self.ts";

/** The runtime as Node has it. What not every process needs is loaded where it is used. */
export function nodeRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./spawn.ts");
  return {
    name: "node",
    version: process.versions.node,
    pid: process.pid,
    clock: systemClock(immediate),
    env: self.environment,
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: true,
    get program() {
      return runningProgram();
    },
    startedIn: ORIGIN,
    fromStart: fromOrigin,
    programFolder: (program) => folderOf(program ?? runningProgram()),
    isFolder: self.isFolder,
    cannotRepeat: () => self.cannotRepeat(process.argv[1] === undefined || process.argv[1] === "-"),
    cannotSandbox: cannotSandbox(`Node ${process.versions.node}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await spawning()).spawnCommand(...given),
    parentChannel,
    listen,
    connect,
    files: async () => (await import("../builtins/files.ts")).privateFiles,
    sharedFiles: async () => (await import("../builtins/files.ts")).sharedFiles(),
    memory: self.memory,
    processors: self.processors,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles: self.openFiles,
    openHandles: () => Promise.resolve(openHandles(CHILD_WRITES)),
    collectGarbage,
    thread: currentThread,
    onSignal: self.onSignal,
    raise: self.raise,
    zombies: self.zombies,
    writeError: self.writeError,
    whenErrorLost: self.whenErrorLost,
    exit: self.exit,
    refuseExit: self.refuseExit,
  };
}
