import { systemClock } from "../posix/clock.ts";
import { checkSystem, folderOf, fromOrigin, ORIGIN, ownFilesOf } from "../posix/program.ts";
import { currentThread } from "../posix/thread.ts";
import type { Runtime } from "../runtime.ts";
import { connect, connectToParent } from "./channel.ts";
import type { DenoNamespace } from "./namespace.ts";
import * as self from "./self.ts";
import type { Spawner } from "./spawn.ts";

declare const Deno: DenoNamespace;
declare const navigator: { readonly hardwareConcurrency: number };

const FIXED_RIGHTS =
  "a compiled binary has the rights that it was compiled with: remove them, or start with Deno itself";

/**
 * The runtime as Deno has it, with nothing but Deno's own functions: a `node:` import costs a process 22 to 30 ms. What not every
 * process needs is loaded where it is used.
 */
export function denoRuntime(): Runtime {
  checkSystem(Deno.build.os);
  let spawner: Promise<Spawner> | undefined;
  const spawning = () => spawner ??= import("./spawn.ts").then(({ newSpawner }) => newSpawner());
  const clock = systemClock(self.soon);
  return {
    name: "deno",
    version: Deno.version.deno,
    pid: Deno.pid,
    clock,
    servingClock: self.servingClock(clock),
    env: self.environment,
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: true,
    program: self.program(),
    startedIn: ORIGIN,
    enterFolder: self.enterFolder,
    fromStart: fromOrigin,
    programFolder: (program) => folderOf(program ?? self.program()),
    isFolder: self.isFolder,
    cannotRepeat: self.cannotRepeat,
    cannotSandbox: Deno.build.standalone ? FIXED_RIGHTS : null,
    // Also what is needed later: with no descriptor left, Deno ends with a panic where it has to load a file.
    prepareSpawn: async () => void await Promise.all([spawning(), import("./files.ts")]),
    spawnProgram: async (...given) => await (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => await (await spawning()).spawnCommand(...given),
    parentChannel: connectToParent,
    listen: async (...given) => await (await import("./listen.ts")).listen(...given),
    connect,
    files: async () => (await import("./files.ts")).privateFiles,
    sharedFiles: async () => (await import("./files.ts")).sharedFiles(),
    memory: self.memory,
    processors: () => navigator.hardwareConcurrency,
    random: Math.random,
    heapBytes: () => Deno.memoryUsage().heapUsed,
    openFiles: self.openFiles,
    collectGarbage: self.collectGarbage,
    openHandles: () => Promise.resolve(self.openHandles()),
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
