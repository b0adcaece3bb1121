import { immediate, systemClock } from "../posix/clock.ts";
import { cannotSandbox } from "../posix/confined.ts";
import { privateFiles } from "./files.ts";
import { isFolder } from "./folder.ts";
import { process } from "./global.ts";
import { CHILD_WRITES, parentChannel } from "./parent.ts";
import { runningProgram } from "./program.ts";
import { cannotRepeat } from "./repeat.ts";
import * as self from "./self.ts";
import { folderOf, fromOrigin, ORIGIN } from "../posix/origin.ts";
import { ownFilesOf } from "../posix/own_files.ts";
import type { Runtime } from "../runtime.ts";
import { checkSystem } from "../posix/supported_system.ts";
import { currentThread } from "../posix/thread.ts";

/** The runtime as Node has it. What not every process needs is loaded where it is used. */
export function nodeRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./spawn.ts");
  const sockets = () => import("./socket.ts");
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
    isFolder,
    cannotRepeat: () => cannotRepeat(process.argv[1] === undefined || process.argv[1] === "-"),
    cannotSandbox: cannotSandbox(`Node ${process.versions.node}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await import("./command.ts")).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await sockets()).listen(...given),
    connect: async (...given) => (await sockets()).connect(...given),
    files: privateFiles,
    sharedFiles: async () => (await import("./shared_files.ts")).sharedFiles(),
    memory: self.memory,
    processors: self.processors,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles: self.openFiles,
    openHandles: async () => (await import("./leftovers.ts")).leftovers(CHILD_WRITES),
    collectGarbage: async () => await (await import("./garbage.ts")).collectGarbage(),
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
