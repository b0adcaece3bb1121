import type { BunFileSink } from "./namespace.ts";
import { startProcess } from "./process.ts";
import { DenoChannel } from "../deno/channel.ts";
import type { CommandProcess, SpawnCommandOptions } from "../runtime.ts";

/**
 * Creates a process of another program. Not by `node:child_process`, whose standard input tells nothing in Bun when the process has
 * closed its side.
 */
// deno-lint-ignore require-await
export async function spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess> {
  const [executable = ""] = command;
  const what = `command "${executable}"`;
  const { child, pid, exited, kill } = startProcess([...command], {
    ...options,
    what,
    stdin: "pipe",
    streams: ["stderr"],
  });
  const { stdin, stdout } = child;
  if (!isSink(stdin) || !(stdout instanceof ReadableStream)) {
    throw new Error(`Cannot open the pipes to process ${pid}: the runtime made none for it, report this as a fault`);
  }
  const channel = newChannel(stdin, stdout.getReader());
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, channel };
}

function newChannel(sink: BunFileSink, reader: ReadableStreamDefaultReader<Uint8Array>): DenoChannel {
  return new DenoChannel({
    async next() {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
    close: () => void reader.cancel().catch(() => {}),
  }, {
    async write(bytes) {
      await sink.write(bytes);
      await sink.flush();
      return bytes.length;
    },
    async end() {
      await sink.end();
    },
    close() {
      try {
        void Promise.resolve(sink.end()).catch(() => {});
      } catch {
        // Nobody reads it any more.
      }
    },
  });
}

function isSink(value: unknown): value is BunFileSink {
  return typeof value === "object" && value !== null && "flush" in value;
}
