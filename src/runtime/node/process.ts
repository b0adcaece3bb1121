import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { startTimeOf } from "../posix/birth.ts";
import { ChildOutput } from "../posix/child_output.ts";
import { signalProcess, type System } from "../posix/group_signal.ts";
import { isFolder } from "./folder.ts";
import { process } from "./global.ts";
import type { ExitStatus, SpawnedProcess, SpawnOptions } from "../runtime.ts";
import { spawnError } from "../posix/spawn_error.ts";

export interface NodeProcess extends SpawnedProcess {
  readonly child: ChildProcess;
}

export interface NodeProcessOptions extends SpawnOptions {
  /** For error messages: what is started. */
  readonly what: string;
  /** The streams that go to `output`; the rest is the caller's. */
  readonly streams: readonly ("stdout" | "stderr")[];
}

/** What Node and Bun can do with processes. */
export const system: System = {
  kill: process.kill,
  startTime: (pid) => startTimeOf(() => readFileSync(`/proc/${pid}/stat`, "utf8")),
};

/** Follows the process that `start` creates from its first breath to its last. */
export async function startProcess(options: NodeProcessOptions, start: () => ChildProcess): Promise<NodeProcess> {
  const child = await started(options, start);
  const { pid = 0 } = child;
  const startTime = system.startTime(pid);
  const output = new ChildOutput();
  for (const stream of options.streams) forward(child, stream, { output, sink: options.output });
  let gone = false;
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once("exit", (code, signal) => {
      gone = true;
      void output.drained().then(() => {
        // A grandchild that holds a stream is still heard, and lets this process end.
        for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
        resolve(signal === null ? { code, signal } : { code: null, signal });
      });
    });
  });
  return {
    child,
    pid,
    exited,
    kill: (signal, target) =>
      signalProcess(signal, { pid, startTime, isGone: gone, group: options.group && target?.group === true }, system),
  };
}

/** Some failures are thrown, the others come as an event on a process without a pid. */
async function started(options: NodeProcessOptions, start: () => ChildProcess): Promise<ChildProcess> {
  try {
    const child = start();
    if (child.pid === undefined) await new Promise((_, reject) => child.once("error", reject));
    // Node reports a kill that failed here; kill() says it already.
    child.on("error", () => {});
    return child;
  } catch (cause) {
    throw spawnError({
      what: options.what,
      cause,
      cwd: options.cwd,
      cwdExists: options.cwd === undefined || isFolder(options.cwd),
    });
  }
}

interface Forwarded {
  readonly output: ChildOutput;
  readonly sink: SpawnOptions["output"];
}

function forward(child: ChildProcess, name: "stdout" | "stderr", { output, sink }: Forwarded): void {
  const stream = child[name];
  if (stream === null || sink === undefined) return;
  output.opened();
  stream.on("data", (chunk: Uint8Array) => {
    output.chunk();
    const wait = sink(name, chunk);
    if (!(wait instanceof Promise)) return;
    stream.pause();
    void wait.then(() => stream.resume());
  });
  stream.on("error", () => {});
  stream.once("close", () => output.ended());
}
