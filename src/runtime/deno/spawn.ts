import { timer } from "../posix/clock.ts";
import type { DenoChannel } from "./channel.ts";
import { commandChannel } from "./command_channel.ts";
import { bindPrivately } from "./listen.ts";
import type { DenoListener, DenoNamespace } from "./namespace.ts";
import { type DenoProcess, startProcess } from "./process.ts";
import { programArguments, programEnvironment } from "./program.ts";
import { socketChannel } from "./socket.ts";
import { SocketFolder } from "./socket_folder.ts";
import { failureReason } from "../posix/failure_reason.ts";
import type { CommandProcess, ProgramProcess, Runtime, SpawnCommandOptions, SpawnProgramOptions } from "../runtime.ts";

declare const Deno: DenoNamespace;

/** A child that connected and ended at once is accepted within this time after its end. */
const LATE_ACCEPT_MS = 50;

export type Spawner = Pick<Runtime, "spawnProgram" | "spawnCommand">;

export function newSpawner(): Spawner {
  const folder = new SocketFolder();
  return { spawnProgram: (options) => spawnProgram(options, folder).catch(tellLasting), spawnCommand };
}

// Deno.Command has no descriptors above 2, so the child connects to a socket that only it is told of.
// deno-lint-ignore require-await
async function spawnProgram(options: SpawnProgramOptions, folder: SocketFolder): Promise<ProgramProcess> {
  const path = folder.take();
  let listener: DenoListener | undefined;
  let process: DenoProcess;
  const close = () => {
    listener?.close();
    folder.release(path);
  };
  try {
    const { program, args } = programArguments(options, path);
    listener = bindPrivately(path);
    process = startProcess(Deno.execPath(), {
      ...options,
      what: `program "${program}"`,
      args,
      env: programEnvironment(options.env(`unix:${path}`), options),
      stdin: "null",
      streams: ["stdout", "stderr"],
    });
  } catch (error) {
    close();
    throw error;
  }
  const channel = acceptChild(listener, process).finally(close);
  // The caller may look at `exited` alone.
  channel.catch(() => {});
  return { pid: process.pid, exited: process.exited, kill: process.kill, channel };
}

/** No later try has a right that this process was not given. */
function tellLasting(error: unknown): never {
  const isRight = (cause: unknown) => cause instanceof Error && cause.name === "NotCapable";
  if (error instanceof Error && (isRight(error) || isRight(error.cause))) Object.assign(error, { lasting: true });
  throw error;
}

async function acceptChild(listener: DenoListener, process: DenoProcess): Promise<DenoChannel> {
  let clear = () => {};
  const ended = process.child.status.then(({ code, signal }) =>
    new Promise<never>((_, reject) => {
      const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
      const error = new Error(`Cannot open the channel to process ${process.pid}: it ${how} before it connected`);
      clear = timer(LATE_ACCEPT_MS, () => reject(error));
    })
  );
  // Settled by the listener's close where the child never connects.
  const accepted = listener.accept().catch((cause) => {
    throw new Error(`Cannot open the channel to process ${process.pid}: ${failureReason(cause)}`, { cause });
  });
  accepted.catch(() => {});
  try {
    const channel = socketChannel(await Promise.race([accepted, ended]));
    void process.exited.then(() => channel.otherSideGone());
    return channel;
  } finally {
    clear();
    ended.catch(() => {});
  }
}

// deno-lint-ignore require-await
async function spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess> {
  const [executable = "", ...args] = command;
  const process = startProcess(executable, {
    ...options,
    what: `command "${executable}"`,
    args,
    stdin: "piped",
    streams: ["stderr"],
  });
  const channel = commandChannel(process.child);
  void process.exited.then(() => channel.otherSideGone());
  return { pid: process.pid, exited: process.exited, kill: process.kill, channel };
}
