import { cannotRepeat, common, process } from "../builtins/self.ts";
import { cannotSandbox, checkSystem, folderOf, ownFilesOf } from "../posix/program.ts";
import { inRunner } from "../posix/test_runner.ts";
import type { Runtime } from "../runtime.ts";
import { connect, parentChannel } from "./channel.ts";
import type { BunNamespace } from "./namespace.ts";
import { bunClock, collectGarbage, isBinary, isTesting, memory, openFiles, openHandles } from "./self.ts";

declare const Bun: BunNamespace;

/**
 * The runtime as Bun has it. What only a parent process or the control socket needs is loaded where it is used: `node:net` alone costs a
 * process 8 ms.
 */
export function bunRuntime(): Runtime {
  checkSystem(process.platform);
  const spawning = () => import("./spawn.ts");
  return {
    ...common,
    name: "bun",
    version: Bun.version,
    clock: bunClock(),
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: false,
    program: isBinary() ? null : Bun.main,
    programFolder: (program) => folderOf(program ?? (isBinary() ? null : Bun.main)),
    cannotRepeat: () => isTesting() ? inRunner("bun test") : cannotRepeat(/\/\[(eval|stdin)\]$/.test(Bun.main)),
    cannotSandbox: cannotSandbox(`Bun ${Bun.version}`),
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await spawning()).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await import("../builtins/channel.ts")).listen(...given),
    connect,
    memory,
    openFiles,
    openHandles,
    collectGarbage,
  };
}
