import { immediate, systemClock } from "./clock.ts";
import { notConfined } from "./confined.ts";
import { privateFiles } from "./node_files.ts";
import { isFolder } from "./node_folder.ts";
import { process } from "./node_global.ts";
import { CHILD_WRITES, parentChannel } from "./node_parent.ts";
import { runningProgram } from "./node_program.ts";
import { cannotRepeat } from "./node_repeat.ts";
import * as self from "./node_self.ts";
import { folderOf, fromOrigin, ORIGIN } from "./origin.ts";
import { ownFilesOf } from "./own_files.ts";
import type { Runtime } from "./runtime.ts";
import { checkSystem } from "./supported_system.ts";
import { currentThread } from "./thread.ts";

/** The runtime as Node has it. What not every process needs is loaded where it is used. */
export function nodeRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./node_spawn.ts");
  const sockets = () => import("./node_socket.ts");
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
    cannotConfine: notConfined(`Node ${process.versions.node}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await import("./node_command.ts")).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await sockets()).listen(...given),
    connect: async (...given) => (await sockets()).connect(...given),
    files: privateFiles,
    sharedFiles: async () => (await import("./node_shared_files.ts")).sharedFiles(),
    memory: self.memory,
    processors: self.processors,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles: self.openFiles,
    leftovers: async () => (await import("./node_leftovers.ts")).leftovers(CHILD_WRITES),
    collectGarbage: async () => await (await import("./node_garbage.ts")).collectGarbage(),
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
