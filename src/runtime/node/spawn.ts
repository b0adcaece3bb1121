import { fork } from "node:child_process";
import { Socket } from "node:net";
import { childEnvironment, childFlags } from "./flags.ts";
import { process } from "./global.ts";
import { ADDRESS, CHILD_READS, CHILD_WRITES, LINGER_MS } from "./parent.ts";
import { startProcess } from "./process.ts";
import { programPath, runningProgram } from "./program.ts";
import { socketPair } from "./socket_pair.ts";
import type { ProgramProcess, SpawnProgramOptions } from "../runtime.ts";
import { StreamChannel } from "../posix/stream_channel.ts";

/** One at a time: until a process has its descriptors they are open here too, and few of them may be left. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Creates a process of the same program, whose side of the channel is in `node_parent.ts`.
 *
 * fork() insists on a channel of its own. It carries no frames: "json" costs three times as much a call as descriptors.
 */
export async function spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
  const process = last.then(() => create(options));
  last = process.catch(() => {});
  return await process;
}

async function create(options: SpawnProgramOptions): Promise<ProgramProcess> {
  const program = options.program === undefined ? runningProgram() : programPath(options.program);
  if (program === null) {
    throw new Error('Cannot start a process of this program: it was not read from a file, set "program" to one');
  }
  const shown = options.output === undefined ? "ignore" : "pipe";
  const pair = await socketPair((chunk) => channel.received(chunk));
  const what = { ...options, what: `program "${program}"`, streams: ["stdout", "stderr"] } as const;
  const started = startProcess(what, () =>
    fork(program, process.argv.slice(2), {
      env: childEnvironment(options.env(ADDRESS)),
      execArgv: childFlags(process.execArgv),
      detached: options.group,
      stdio: ["ignore", shown, shown, "ipc", "pipe", pair?.theirs ?? "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }));
  started.catch(() => pair?.ours.destroy());
  const { child, exited, kill, pid } = await started.finally(() => pair?.theirs.destroy());
  child.channel?.unref();
  const stdio: readonly unknown[] = child.stdio;
  const [output, input] = [stdio[CHILD_READS], pair?.ours ?? stdio[CHILD_WRITES]];
  if (!(input instanceof Socket && output instanceof Socket)) {
    throw new Error(`Cannot open the channel to process ${pid}: Node made no pipes for it, report this as a fault`);
  }
  const channel = new StreamChannel(input, output, { lingerMs: LINGER_MS });
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, channel: Promise.resolve(channel) };
}
