import { bunClock } from "./clock.ts";
import type { BunNamespace } from "./namespace.ts";
import { parentChannel } from "./parent.ts";
import { isBinary, memory, openFiles } from "./self.ts";
import { cannotSandbox } from "../posix/confined.ts";
import { privateFiles } from "../node/files.ts";
import { process } from "../node/global.ts";
import { cannotRepeat } from "../node/repeat.ts";
import * as self from "../node/self.ts";
import { folderOf, fromOrigin, ORIGIN } from "../posix/origin.ts";
import { ownFilesOf } from "../posix/own_files.ts";
import type { Runtime } from "../runtime.ts";
import { checkSystem } from "../posix/supported_system.ts";
import { currentThread } from "../posix/thread.ts";

declare const Bun: BunNamespace;

/**
 * The runtime as Bun has it. What only a father or the control socket needs is loaded where it is used: `node:net` alone costs a
 * process 8 ms.
 */
export function bunRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./program.ts");
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
    cannotSandbox: cannotSandbox(`Bun ${Bun.version}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await import("./command.ts")).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await import("../node/socket.ts")).listen(...given),
    connect: async (path) => (await import("./connect.ts")).connect(path),
    files: privateFiles,
    sharedFiles: async () => (await import("../node/shared_files.ts")).sharedFiles(),
    memory,
    processors: self.processors,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles,
    openHandles: async () => await (await import("./leftovers.ts")).leftovers(),
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
