import process from "node:process";
import { type BunChannel, descriptorChannel } from "./bun_channel.ts";
import { crashOnUnhandledRejection } from "./bun_crash.ts";
import { collectGarbage } from "./bun_garbage.ts";
import type { BunNamespace } from "./bun_namespace.ts";
import { systemClock } from "./clock.ts";
import { notConfined } from "./confined.ts";
import { privateFiles } from "./node_files.ts";
import { childEnvironment, childFlags } from "./node_flags.ts";
import * as self from "./node_self.ts";
import { ownFilesOf } from "./own_files.ts";
import type { ProgramProcess, Runtime, SpawnProgramOptions } from "./runtime.ts";
import { checkSystem } from "./supported_system.ts";
import { currentThread } from "./thread.ts";

declare const Bun: BunNamespace;

const CHILD_FD = 3;
const ADDRESS = `fd:${CHILD_FD}`;
/** Where the files of a compiled binary seem to stand. */
const IN_BINARY = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN)/;

/**
 * The runtime as Bun has it. What only a father or the control socket needs is loaded where it is used: `node:net` alone costs a
 * process 8 ms.
 */
export function bunRuntime(): Runtime {
  checkSystem(process.platform);
  return {
    name: "bun",
    version: Bun.version,
    pid: process.pid,
    clock: systemClock((fn) => void setImmediate(fn)),
    env: self.environment,
    // In a binary all of brokkr is one file.
    ownFiles: IN_BINARY.test(Bun.main) ? [Bun.main] : ownFilesOf(import.meta.url),
    tracesPromises: false,
    program: IN_BINARY.test(Bun.main) ? null : Bun.main,
    cannotConfine: notConfined(`Bun ${Bun.version}`),
    spawnProgram,
    spawnCommand: async (...given) => (await import("./node_command.ts")).spawnCommand(...given),
    parentChannel,
    listen: async (...given) => (await import("./node_socket.ts")).listen(...given),
    connect: async (path) => (await import("./bun_connect.ts")).connect(path),
    files: privateFiles,
    memory: self.memory,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles: self.openFiles,
    leftovers: async () => await (await import("./bun_leftovers.ts")).leftovers(),
    collectGarbage,
    thread: currentThread,
    onSignal: self.onSignal,
    writeError: self.writeError,
    exit: self.exit,
    refuseExit: self.refuseExit,
  };
}

async function spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
  const { startProcess } = await import("./bun_process.ts");
  const [what, ...command] = await programCommand(options.program);
  const { child, ...started } = startProcess([process.execPath, ...command, ...process.argv.slice(2)], {
    ...options,
    env: childEnvironment(options.env(ADDRESS)),
    what: `program "${what}"`,
  });
  const fd = child.stdio[CHILD_FD];
  if (typeof fd !== "number") {
    throw new Error(`Cannot open the channel to process ${child.pid}: Bun made none for it, report this as a fault`);
  }
  const channel = await descriptorChannel(fd);
  void started.exited.then(() => channel.otherSideGone());
  return { ...started, channel: Promise.resolve(channel) };
}

/** Its name for messages, then what follows the executable; a compiled binary has its program inside. */
async function programCommand(given: string | undefined): Promise<string[]> {
  if (IN_BINARY.test(Bun.main)) return [process.execPath];
  const { programPath } = await import("./node_program.ts");
  const program = programPath(given ?? Bun.main);
  return [program, ...childFlags(process.execArgv), program];
}

function parentChannel(address: string): Promise<BunChannel> {
  crashOnUnhandledRejection();
  if (address === ADDRESS) return descriptorChannel(CHILD_FD);
  return Promise.reject(
    new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    ),
  );
}
