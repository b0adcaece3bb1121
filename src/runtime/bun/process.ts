import type { BunChild, BunNamespace, BunStdio } from "./namespace.ts";
import { ChildOutput } from "../posix/child_output.ts";
import { signalProcess } from "../posix/group_signal.ts";
import { system } from "../node/process.ts";
import { isFolder } from "../node/folder.ts";
import type { ExitStatus, SpawnedProcess, SpawnOptions } from "../runtime.ts";
import { spawnError } from "../posix/spawn_error.ts";

declare const Bun: BunNamespace;

export interface BunProcess extends SpawnedProcess {
  readonly child: BunChild;
}

export interface BunProcessOptions extends SpawnOptions {
  /** For error messages: what is started. */
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: BunStdio;
  /** The streams that go to `output`; the rest is the caller's. */
  readonly streams: readonly ("stdout" | "stderr")[];
  /** Descriptors above 2. "pipe" makes a socket pair. */
  readonly more?: readonly BunStdio[];
}

export function startProcess(command: string[], options: BunProcessOptions): BunProcess {
  const output = new ChildOutput();
  let gone = false;
  let end = (_status: ExitStatus) => {};
  const ended = new Promise<ExitStatus>((resolve) => end = resolve);
  const child = start(command, options, (status) => {
    gone = true;
    end(status);
  });
  const startTime = system.startTime(child.pid);
  for (const name of options.streams) {
    const stream = child[name];
    if (stream instanceof ReadableStream) void forward(stream, output, (chunk) => options.output?.(name, chunk));
  }
  return {
    child,
    pid: child.pid,
    exited: ended.then(async (status) => {
      await output.drained();
      return status;
    }),
    kill: (signal, target) =>
      signalProcess(
        signal,
        { pid: child.pid, startTime, isGone: gone, group: options.group && target?.group === true },
        system,
      ),
  };
}

function start(command: string[], options: BunProcessOptions, ended: (status: ExitStatus) => void): BunChild {
  const { stdin, streams, output, more = [] } = options;
  const shown = (name: "stdout" | "stderr") => streams.includes(name) && output === undefined ? "ignore" : "pipe";
  try {
    return Bun.spawn(command, {
      stdio: [stdin, shown("stdout"), shown("stderr"), ...more],
      env: options.env,
      detached: options.group,
      onExit({ signalCode: signal }, code) {
        ended(signal === null ? { code, signal } : { code: null, signal });
      },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } catch (cause) {
    throw spawnError({
      what: options.what,
      cause,
      cwd: options.cwd,
      cwdExists: options.cwd === undefined || isFolder(options.cwd),
    });
  }
}

async function forward(
  stream: ReadableStream,
  output: ChildOutput,
  sink: (chunk: Uint8Array) => unknown,
): Promise<void> {
  output.opened();
  try {
    for await (const chunk of stream) {
      output.chunk();
      await sink(chunk);
    }
  } catch {
    // What the process printed can't be read on; its end is told by the exit.
  }
  output.ended();
}
