import { isFolder } from "./self.ts";
import type { DenoChild, DenoCommandOptions, DenoNamespace } from "./namespace.ts";
import { startTimeOf } from "../posix/birth.ts";
import { ChildOutput } from "../posix/child_output.ts";
import { signalProcess, type System } from "../posix/group_signal.ts";
import type { ExitStatus, SpawnedProcess, SpawnOptions } from "../runtime.ts";
import { spawnError } from "../posix/spawn_error.ts";

declare const Deno: DenoNamespace;

/** A process of either kind, before it has a channel. */
export interface DenoProcess extends SpawnedProcess {
  readonly child: DenoChild;
}

export interface DenoProcessOptions extends SpawnOptions {
  /** For error messages: what is started. */
  readonly what: string;
  readonly args: string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: "null" | "piped";
  /** The streams that go to `output`; the rest is the caller's. */
  readonly streams: readonly ("stdout" | "stderr")[];
}

let signalsAreReady = false;

/**
 * Deno opens its pipe for signals when it needs it for a process, and panics where no descriptor is left by then. SIGCHLD is the
 * signal whose default is to do nothing.
 */
function prepareSignals(): void {
  if (signalsAreReady) return;
  signalsAreReady = true;
  const nothing = () => {};
  Deno.addSignalListener("SIGCHLD", nothing);
  Deno.removeSignalListener("SIGCHLD", nothing);
}

export function startProcess(command: string, options: DenoProcessOptions): DenoProcess {
  prepareSignals();
  const child = start(command, options);
  const output = new ChildOutput();
  for (const stream of options.streams) {
    if (options.output !== undefined) void forward(child[stream], output, (chunk) => options.output?.(stream, chunk));
  }
  let gone = false;
  const exited = (async (): Promise<ExitStatus> => {
    const { code, signal } = await child.status;
    gone = true;
    await output.drained();
    // A grandchild that holds a stream is still heard, and lets this process end.
    child.unref();
    return signal === null ? { code, signal: null } : { code: null, signal };
  })();
  const system: System = {
    kill(pid, signal) {
      if (pid === child.pid && signal !== 0) child.kill(signal);
      else Deno.kill(pid, signal);
    },
    startTime: (pid) => startTimeOf(() => Deno.readTextFileSync(`/proc/${pid}/stat`)),
  };
  const { pid } = child;
  const startTime = system.startTime(pid);
  return {
    child,
    pid,
    exited,
    kill: (signal, target) =>
      signalProcess(signal, { pid, startTime, isGone: gone, group: options.group && target?.group === true }, system),
  };
}

function start(command: string, options: DenoProcessOptions): DenoChild {
  const piped = (stream: "stdout" | "stderr") =>
    options.output !== undefined || !options.streams.includes(stream) ? "piped" : "null";
  const given: DenoCommandOptions = {
    args: options.args,
    env: options.env,
    clearEnv: true,
    detached: options.group,
    stdin: options.stdin,
    stdout: piped("stdout"),
    stderr: piped("stderr"),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
  try {
    try {
      return new Deno.Command(command, given).spawn();
    } catch (error) {
      // Deno before 2.9 starts nothing in a folder that is gone, whatever folder it is to start in.
      if (!leftRemovedFolder()) throw error;
      return new Deno.Command(command, given).spawn();
    }
  } catch (cause) {
    throw spawnError({
      what: options.what,
      cause,
      cwd: options.cwd,
      cwdExists: options.cwd === undefined || isFolder(options.cwd),
    });
  }
}

async function forward(stream: ReadableStream<Uint8Array>, output: ChildOutput, sink: (chunk: Uint8Array) => unknown) {
  output.opened();
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    output.chunk();
    await sink(value);
  }
  output.ended();
}

/** Whether this process was in a folder that is gone, and is not any more. */
function leftRemovedFolder(): boolean {
  try {
    Deno.cwd();
    return false;
  } catch {
    Deno.chdir("/");
    return true;
  }
}
