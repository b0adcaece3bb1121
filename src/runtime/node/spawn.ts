import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { createConnection, createServer, type Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LINGER_MS, StreamChannel } from "../builtins/channel.ts";
import { privateFiles } from "../builtins/files.ts";
import { childEnvironment, childFlags } from "../builtins/flags.ts";
import { groupTools, isFolder, programPath, system } from "../builtins/self.ts";
import { process } from "../builtins/process.ts";
import {
  ChildOutput,
  commandStart,
  leader,
  signalsOf,
  spawnError,
  type Start,
  type StartOptions,
} from "../posix/child_process.ts";
import { PATH_LIMIT } from "../posix/socket_path.ts";
import type {
  CommandProcess,
  ExitStatus,
  ProgramProcess,
  SpawnCommandOptions,
  SpawnedProcess,
  SpawnOptions,
  SpawnProgramOptions,
} from "../runtime.ts";
import { ADDRESS, CHILD_READS, CHILD_WRITES, COMPILE_CACHE, COMPILE_CACHE_FOLDER, readingInto } from "./channel.ts";
import { runningProgram } from "./index.ts";

/** One at a time: until a process has its descriptors they are open here too, and few of them may be left. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Creates a process of the same program, whose side of the channel is in `channel.ts`. Not by `fork`: the channel that it insists on
 * costs a new process 2 ms.
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
  const node: Start = {
    command: [
      process.execPath,
      ...childFlags(process.execArgv),
      ...options.flags ?? [],
      program,
      ...process.argv.slice(2),
    ],
    env: withCompileCache(childEnvironment(options.env(ADDRESS))),
  };
  const { command: [executable, ...args], env, detached } = options.group
    ? leader(node, groupTools)
    : { ...node, detached: false };
  const started = startProcess(what, () =>
    spawn(executable, args, {
      env,
      detached,
      stdio: ["ignore", shown, shown, "pipe", pair?.theirs ?? "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }));
  started.catch(() => pair?.ours.destroy());
  const { child, exited, kill, groupRuns, pid } = await started.finally(() => pair?.theirs.destroy());
  const stdio: readonly unknown[] = child.stdio;
  const [output, input] = [stdio[CHILD_READS], pair?.ours ?? stdio[CHILD_WRITES]];
  if (!(input instanceof Socket && output instanceof Socket)) {
    throw new Error(`Cannot open the channel to process ${pid}: Node made no pipes for it, report this as a fault`);
  }
  const channel = new StreamChannel(input, output, { lingerMs: LINGER_MS });
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, groupRuns, channel: Promise.resolve(channel) };
}

/** What the user says of the cache holds; and coverage counts code that was compiled before by halves. */
const OWN_CHOICE = [COMPILE_CACHE, "NODE_DISABLE_COMPILE_CACHE", "NODE_V8_COVERAGE"];

/** `env` for a process whose code need not be compiled again: a quarter of what its start takes beside that of Node itself. */
function withCompileCache(env: Record<string, string>): Record<string, string> {
  // Node before 22.8 keeps nothing. Not imported: webpack would import that name, which an older Node does not have.
  if (
    !("enableCompileCache" in process.getBuiltinModule("node:module")) ||
    OWN_CHOICE.some((name) => env[name] !== undefined)
  ) return env;
  try {
    return { ...env, [COMPILE_CACHE]: privateFiles.folder(COMPILE_CACHE_FOLDER) };
  } catch {
    // No folder that is the user's alone: nothing is kept.
    return env;
  }
}

export async function spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess> {
  const { child, exited, kill, groupRuns, pid } = await startCommand(command, options, ["stderr"]);
  if (child.stdin === null || child.stdout === null) {
    throw new Error(`Cannot open the pipes to process ${pid}: the runtime made none for it, report this as a fault`);
  }
  const channel = new StreamChannel(child.stdout, child.stdin);
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, groupRuns, channel };
}

export async function spawnDaemon(command: readonly string[], options: SpawnCommandOptions): Promise<SpawnedProcess> {
  return await startCommand(command, options, ["stdout", "stderr"]);
}

/** What is not among `streams` is a pipe of the caller, and standard input with it. */
async function startCommand(
  command: readonly string[],
  options: SpawnCommandOptions,
  streams: StartOptions["streams"],
): Promise<NodeProcess> {
  const { command: [executable, ...args], detached, env, ...start } = commandStart(command, options);
  const shown = options.output === undefined ? "ignore" : "pipe";
  const [input, output] = streams.includes("stdout") ? ["ignore", shown] as const : ["pipe", "pipe"] as const;
  return await startProcess({ ...start, streams }, () =>
    spawn(executable, args, {
      env: { ...env },
      detached,
      stdio: [input, output, shown],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }));
}

interface NodeProcess extends SpawnedProcess {
  readonly child: ChildProcess;
}

/** Follows the process that `start` creates from its first breath to its last. */
async function startProcess(options: StartOptions, start: () => ChildProcess): Promise<NodeProcess> {
  const child = await started(options, start);
  const { pid = 0 } = child;
  let gone = false;
  const signals = signalsOf({ pid, group: options.group, isGone: () => gone }, system);
  const output = new ChildOutput();
  for (const stream of options.streams) forward(child, stream, { output, sink: options.output });
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
  return { child, pid, exited, ...signals };
}

/** Some failures are thrown, the others come as an event on a process without a pid. */
async function started(options: StartOptions, start: () => ChildProcess): Promise<ChildProcess> {
  try {
    const child = start();
    if (child.pid === undefined) await new Promise((_, reject) => child.once("error", reject));
    // Node reports a kill that failed here; kill() says it already.
    child.on("error", () => {});
    return child;
  } catch (cause) {
    throw spawnError({ what: options.what, cause, cwd: options.cwd, isFolder, read: groupTools.read });
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

export interface SocketPair {
  /** Hands each chunk to `received`, in memory that is used again. */
  readonly ours: Socket;
  /** Stands still until a process has it. */
  readonly theirs: Socket;
}

/**
 * Two ends of a unix socket. Node lets only a socket that connects read into given memory, which the pipes of a new process do
 * not: 3 to 5 % more calls, and a tenth less for one at a time.
 *
 * Null where this process can't make a socket in the temporary folder: a pipe does, too.
 */
export async function socketPair(received: (chunk: Uint8Array) => void): Promise<SocketPair | null> {
  let folder: string | undefined;
  const server = createServer({ pauseOnConnect: true });
  try {
    folder = mkdtempSync(join(tmpdir(), "brokkr-"));
    const path = join(folder, "1");
    return Buffer.byteLength(path) < PATH_LIMIT ? await connected(server, path, received) : null;
  } catch {
    return null;
  } finally {
    server.close();
    if (folder !== undefined) remove(folder);
  }
}

function connected(server: Server, path: string, received: (chunk: Uint8Array) => void): Promise<SocketPair> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      const ours = createConnection({ path, ...readingInto(received) });
      // Closed before it was accepted: no descriptor is left for the other end.
      const closed = () => reject(new Error("the socket was closed"));
      ours.once("error", reject);
      ours.once("close", closed);
      server.once("connection", (theirs) => {
        ours.off("error", reject);
        ours.off("close", closed);
        resolve({ ours, theirs });
      });
    });
  });
}

/** The socket in it goes with its server. */
function remove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Gone before: others clean the temporary folder, too.
  }
}
