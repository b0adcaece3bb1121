import { fork } from "node:child_process";
import { Socket } from "node:net";
import process from "node:process";
import { systemClock } from "./clock.ts";
import { notConfined } from "./confined.ts";
import { spawnCommand } from "./node_command.ts";
import { privateFiles } from "./node_files.ts";
import { childEnvironment, childFlags } from "./node_flags.ts";
import { collectGarbage } from "./node_garbage.ts";
import { startProcess } from "./node_process.ts";
import { programPath, runningProgram } from "./node_program.ts";
import * as self from "./node_self.ts";
import { connect, LINGER_MS, listen } from "./node_socket.ts";
import { ownFilesOf } from "./own_files.ts";
import type { Channel, ProgramProcess, Runtime, SpawnProgramOptions } from "./runtime.ts";
import { StreamChannel } from "./stream_channel.ts";
import { checkSystem } from "./supported_system.ts";
import { currentThread } from "./thread.ts";

// A descriptor for each direction: a failed write destroys a socket of Node with what arrived on it still unread.
const CHILD_READS = 4;
const CHILD_WRITES = 5;
const ADDRESS = `fd:${CHILD_READS},${CHILD_WRITES}`;

/** The runtime as Node has it. */
export function nodeRuntime(): Runtime {
  checkSystem(process.platform);
  return {
    name: "node",
    version: process.versions.node,
    pid: process.pid,
    clock: systemClock((fn) => void setImmediate(fn)),
    env: self.environment,
    ownFiles: ownFilesOf(import.meta.url),
    tracesPromises: true,
    program: runningProgram(),
    cannotConfine: notConfined(`Node ${process.versions.node}`),
    spawnProgram,
    spawnCommand,
    parentChannel,
    listen,
    connect,
    files: privateFiles,
    memory: self.memory,
    random: Math.random,
    heapBytes: self.heapBytes,
    openFiles: self.openFiles,
    leftovers: async () => (await import("./node_leftovers.ts")).leftovers(CHILD_WRITES),
    collectGarbage,
    thread: currentThread,
    onSignal: self.onSignal,
    writeError: self.writeError,
    exit: self.exit,
    refuseExit: self.refuseExit,
  };
}

// fork() insists on a channel of its own. It carries no frames: "json" costs three times as much a call as descriptors.
async function spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
  const program = options.program === undefined ? runningProgram() : programPath(options.program);
  if (program === null) {
    throw new Error('Cannot start a process of this program: it was not read from a file, set "program" to one');
  }
  const shown = options.output === undefined ? "ignore" : "pipe";
  const started = await startProcess(
    { ...options, what: `program "${program}"`, streams: ["stdout", "stderr"] },
    () =>
      fork(program, process.argv.slice(2), {
        env: childEnvironment(options.env(ADDRESS)),
        execArgv: childFlags(process.execArgv),
        detached: options.group,
        stdio: ["ignore", shown, shown, "ipc", "pipe", "pipe"],
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      }),
  );
  const { child, exited, kill, pid } = started;
  child.channel?.unref();
  const stdio: readonly unknown[] = child.stdio;
  const [output, input] = [stdio[CHILD_READS], stdio[CHILD_WRITES]];
  if (!(input instanceof Socket && output instanceof Socket)) {
    throw new Error(`Cannot open the channel to process ${pid}: Node made no pipes for it, report this as a fault`);
  }
  const channel = new StreamChannel(input, output, { lingerMs: LINGER_MS });
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, channel: Promise.resolve(channel) };
}

// deno-lint-ignore require-await
async function parentChannel(address: string): Promise<Channel> {
  const [, reads, writes] = /^fd:(\d+),(\d+)$/.exec(address) ?? [];
  if (reads === undefined || writes === undefined) {
    throw new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    );
  }
  const input = new Socket({ fd: Number(reads), readable: true, writable: false });
  const output = new Socket({ fd: Number(writes), readable: false, writable: true });
  return new StreamChannel(input, output, { lingerMs: LINGER_MS });
}
