import * as self from "../builtins/self.ts";
import { process } from "../builtins/self.ts";
import { cannotSandbox, checkSystem, folderOf, fromOrigin, ORIGIN, ownFilesOf } from "../posix/program.ts";
import { currentThread } from "../posix/thread.ts";
import type { Runtime } from "../runtime.ts";
import { connect, parentChannel } from "./channel.ts";
import type { BunNamespace } from "./namespace.ts";
import { bunClock, collectGarbage, isBinary, memory, openFiles, openHandles } from "./self.ts";

declare const Bun: BunNamespace;

/**
 * The runtime as Bun has it. What only a parent process or the control socket needs is loaded where it is used: `node:net` alone costs a
 * process 8 ms.
 */
export function bunRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./spawn.ts");
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
    isFolder: self.isFolder,
    cannotRepeat: () => self.cannotRepeat(/\/\[(eval|stdin)\]$/.test(Bun.main)),
    cannotSandbox: cannotSandbox(`Bun ${Bun.version}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await spawning()).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await import("../builtins/channel.ts")).listen(...given),
    connect,
    files: async () => (await import("../builtins/files.ts")).privateFiles,
    sharedFiles: async () => (await import("../builtins/files.ts")).sharedFiles(),
    memory,
    processors: self.processors,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles,
    openHandles,
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
