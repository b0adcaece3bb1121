import { bunClock } from "./bun_clock.ts";
import type { BunNamespace } from "./bun_namespace.ts";
import { parentChannel } from "./bun_parent.ts";
import { isBinary, memory, openFiles } from "./bun_self.ts";
import { notConfined } from "./confined.ts";
import { privateFiles } from "./node_files.ts";
import { process } from "./node_global.ts";
import { cannotRepeat } from "./node_repeat.ts";
import * as self from "./node_self.ts";
import { folderOf, fromOrigin, ORIGIN } from "./origin.ts";
import { ownFilesOf } from "./own_files.ts";
import type { Runtime } from "./runtime.ts";
import { checkSystem } from "./supported_system.ts";
import { currentThread } from "./thread.ts";

declare const Bun: BunNamespace;

/**
 * The runtime as Bun has it. What only a father or the control socket needs is loaded where it is used: `node:net` alone costs a
 * process 8 ms.
 */
export function bunRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./bun_program.ts");
  return {
    name: "bun",
    version: Bun.version,
    pid: process.pid,
    clock: bunClock(),
    env: self.environment,
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: false,
    program: isBinary() ? null : Bun.main,
    startedIn: ORIGIN,
    fromStart: fromOrigin,
    programFolder: (program) => folderOf(program ?? (isBinary() ? null : Bun.main)),
    isFolder: (path) => self.fileSystem().statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
    cannotRepeat: () => cannotRepeat(/\/\[(eval|stdin)\]$/.test(Bun.main)),
    cannotConfine: notConfined(`Bun ${Bun.version}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await import("./bun_command.ts")).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await import("./node_socket.ts")).listen(...given),
    connect: async (path) => (await import("./bun_connect.ts")).connect(path),
    files: privateFiles,
    sharedFiles: async () => (await import("./node_shared_files.ts")).sharedFiles(),
    memory,
    processors: self.processors,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles,
    leftovers: async () => await (await import("./bun_leftovers.ts")).leftovers(),
    collectGarbage: async () => await (await import("./bun_garbage.ts")).collectGarbage(),
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
