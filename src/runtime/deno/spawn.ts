import { PullChannel, streamSource } from "../posix/channel.ts";
import {
  ChildOutput,
  commandStart,
  type GroupTools,
  leader,
  signalsOf,
  spawnError,
  type Start,
  type StartOptions,
  type System,
} from "../posix/child_process.ts";
import { timer } from "../posix/clock.ts";
import { cannotListen, failureCode, failureReason } from "../posix/failure_reason.ts";
import { attempt, groupRuns, startTimeOf } from "../posix/proc.ts";
import { PATH_LIMIT } from "../posix/socket_path.ts";
import type {
  CommandProcess,
  ExitStatus,
  ProgramProcess,
  SpawnCommandOptions,
  SpawnedProcess,
  SpawnProgramOptions,
} from "../runtime.ts";
import { socketChannel } from "./channel.ts";
import { programArguments, programEnvironment } from "./flags.ts";
import {
  type DenoChild,
  type DenoCommandOptions,
  type DenoListener,
  type DenoNamespace,
  executable,
  ifReadable,
  isGranted,
  kill,
} from "./namespace.ts";
import { isFolder, proc, type Spawner } from "./index.ts";

declare const Deno: DenoNamespace;

/** A child that connected and ended at once is accepted within this time after its end. */
const LATE_ACCEPT_MS = 50;

export function newSpawner(): Spawner {
  const folder = new SocketFolder();
  return { spawnProgram: (options) => spawnProgram(options, folder).catch(markLasting), spawnCommand, spawnDaemon };
}

// Deno.Command has no descriptors above 2, so the child connects to a socket whose path only it receives.
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
    listener = listen(path);
    const deno: Start = {
      command: [executable(), ...args],
      env: programEnvironment(options.env(`unix:${path}`), options),
    };
    process = startProcess({
      ...options,
      ...options.group ? leader(deno, groupTools) : { ...deno, detached: false },
      what: `program "${program}"`,
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
  return { ...process, channel };
}

const groupTools: GroupTools = {
  canRun: (path) => isGranted({ name: "run", command: path }) && !ifReadable(path, Deno.statSync).isDirectory,
  read: (path) => ifReadable(path, Deno.readTextFileSync),
};

/** No later try has a right that this process was not given. */
function markLasting(error: unknown): never {
  const isRight = (cause: unknown) => cause instanceof Error && cause.name === "NotCapable";
  if (error instanceof Error && (isRight(error) || isRight(error.cause))) Object.assign(error, { lasting: true });
  throw error;
}

async function acceptChild(listener: DenoListener, process: DenoProcess): Promise<PullChannel> {
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
  const process = startProcess({ ...commandStart(command, options), stdin: "piped", streams: ["stderr"] });
  const channel = commandChannel(process.child);
  void process.exited.then(() => channel.otherSideGone());
  return { ...process, channel };
}

// deno-lint-ignore require-await
async function spawnDaemon(command: readonly string[], options: SpawnCommandOptions): Promise<SpawnedProcess> {
  return startProcess({ ...commandStart(command, options), stdin: "null", streams: ["stdout", "stderr"] });
}

/** Standard input and output of a process as one channel. */
function commandChannel(child: DenoChild): PullChannel {
  const writer = child.stdin.getWriter();
  return new PullChannel(streamSource(child.stdout), {
    async write(bytes) {
      await writer.write(bytes);
      return bytes.length;
    },
    end: () => writer.close(),
    close: () => void writer.abort().catch(() => {}),
  });
}

interface DenoProcess extends SpawnedProcess {
  readonly child: DenoChild;
}

interface DenoProcessOptions extends StartOptions, Start {
  readonly detached: boolean;
  readonly stdin: "null" | "piped";
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

function startProcess(options: DenoProcessOptions): DenoProcess {
  prepareSignals();
  const child = start(options);
  const output = new ChildOutput();
  for (const stream of options.streams) {
    if (options.output !== undefined) void output.follow(child[stream], (chunk) => options.output?.(stream, chunk));
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
      else kill(pid, signal);
    },
    startTime: (pid) => startTimeOf(() => proc.read(`/proc/${pid}/stat`)),
    groupRuns: (group) => groupRuns(group, proc),
  };
  const { pid } = child;
  return { child, pid, exited, ...signalsOf({ pid, group: options.group, isGone: () => gone }, system) };
}

function start(options: DenoProcessOptions): DenoChild {
  const { command: [executable, ...args], env, detached } = options;
  const piped = (stream: "stdout" | "stderr") =>
    options.output !== undefined || !options.streams.includes(stream) ? "piped" : "null";
  const given: DenoCommandOptions = {
    args,
    env,
    clearEnv: true,
    detached,
    stdin: options.stdin,
    stdout: piped("stdout"),
    stderr: piped("stderr"),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
  try {
    try {
      return new Deno.Command(executable, given).spawn();
    } catch (error) {
      // Deno before 2.9 starts nothing in a folder that is gone, whatever folder it is to start in.
      if (!leftRemovedFolder()) throw error;
      return new Deno.Command(executable, given).spawn();
    }
  } catch (cause) {
    throw spawnError({ what: options.what, cause, cwd: options.cwd, isFolder, read: groupTools.read });
  }
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

declare function addEventListener(type: "unload", fn: () => void): void;
declare function removeEventListener(type: "unload", fn: () => void): void;

/** Why no folder can be made at any later try either. */
const LASTING: readonly (string | undefined)[] = ["EROFS", "EACCES"];

/** Hands out paths for sockets in a folder of this process that no other user can enter. It exists while a path is in use. */
class SocketFolder {
  #path: string | undefined;
  #inUse = 0;
  #made = 0;

  take(): string {
    if (this.#path === undefined) {
      this.#path = makeFolder();
      addEventListener("unload", this.#removeAll);
    }
    this.#inUse++;
    return `${this.#path}/${++this.#made}`;
  }

  release(path: string): void {
    remove(path);
    this.#inUse--;
    if (this.#inUse > 0) return;
    removeEventListener("unload", this.#removeAll);
    this.#removeAll();
  }

  readonly #removeAll = (): void => {
    if (this.#path !== undefined) remove(this.#path, { recursive: true });
    this.#path = undefined;
  };
}

function listen(path: string): DenoListener {
  try {
    return Deno.listen({ transport: "unix", path });
  } catch (cause) {
    throw cannotListen(path, cause);
  }
}

function remove(path: string, options: { readonly recursive: boolean } = { recursive: false }): void {
  // A listener removes its own socket.
  attempt(() => Deno.removeSync(path, options));
}

function makeFolder(): string {
  let cause: unknown;
  // The pid says whose it was, where this process is killed before it can remove it.
  const prefix = `brokkr-sockets-${Deno.pid}-`;
  for (const options of [{ prefix }, ...ownRuntimeFolder().map((dir) => ({ prefix, dir })), { prefix, dir: "/tmp" }]) {
    try {
      const path = Deno.makeTempDirSync(options);
      if (new TextEncoder().encode(`${path}/1234567`).length < PATH_LIMIT) return path;
      remove(path);
    } catch (error) {
      cause ??= error;
    }
  }
  const reason = cause === undefined
    ? "every temporary folder has too long a path, set TMPDIR to a shorter one"
    : `no temporary folder can be written in (${failureCode(cause) ?? failureReason(cause)}), ` +
      "set XDG_RUNTIME_DIR or TMPDIR to a folder of this user that can, such as one on a tmpfs";
  const error = new Error(`Cannot make sockets for new processes: ${reason}`, { cause });
  throw LASTING.includes(failureCode(cause)) ? Object.assign(error, { lasting: true }) : error;
}

/** `$XDG_RUNTIME_DIR`, where it is this user's: on a read-only root it may be the only folder to write in. */
function ownRuntimeFolder(): string[] {
  try {
    const folder = Deno.env.get("XDG_RUNTIME_DIR") ?? "";
    if (!folder.startsWith("/") || !isGranted({ name: "sys", kind: "uid" })) return [];
    return ifReadable(folder, Deno.lstatSync).uid === Deno.uid() ? [folder] : [];
  } catch {
    return [];
  }
}
