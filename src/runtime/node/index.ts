import { connect, listen } from "../builtins/channel.ts";
import { cannotRepeat, common, process } from "../builtins/self.ts";
import { immediate, systemClock } from "../posix/clock.ts";
import { cannotSandbox, checkSystem, folderOf, ownFilesOf } from "../posix/program.ts";
import type { Runtime } from "../runtime.ts";
import { CHILD_WRITES, parentChannel } from "./channel.ts";
import { collectGarbage, openHandles, runningProgram } from "./self.ts";

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
    prepareSpawn: async () => void await spawning(),
    spawnProgram: async (...given) => (await spawning()).spawnProgram(...given),
    spawnCommand: async (...given) => (await spawning()).spawnCommand(...given),
    parentChannel,
    listen,
    connect,
    openHandles: () => Promise.resolve(openHandles(CHILD_WRITES)),
    collectGarbage,
  };
}
