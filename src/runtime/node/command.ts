import { spawn } from "node:child_process";
import { startProcess } from "./process.ts";
import type { CommandProcess, SpawnCommandOptions } from "../runtime.ts";
import { StreamChannel } from "../posix/stream_channel.ts";

/** Creates a process of another program. */
export async function spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess> {
  const [executable = "", ...args] = command;
  const { child, exited, kill, pid } = await startProcess(
    { ...options, what: `command "${executable}"`, streams: ["stderr"] },
    () =>
      spawn(executable, args, {
        env: { ...options.env },
        detached: options.group,
        stdio: ["pipe", "pipe", options.output === undefined ? "ignore" : "pipe"],
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      }),
  );
  if (child.stdin === null || child.stdout === null) {
    throw new Error(`Cannot open the pipes to process ${pid}: the runtime made none for it, report this as a fault`);
  }
  const channel = new StreamChannel(child.stdout, child.stdin);
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, channel };
}
