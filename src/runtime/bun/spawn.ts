import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { groupTools, isFolder, programPath, system } from "../builtins/self.ts";
import { process } from "../builtins/process.ts";
import { PullChannel, streamSource } from "../posix/channel.ts";
import {
  ChildOutput,
  commandStart,
  leader,
  signalsOf,
  spawnError,
  type Start,
  type StartOptions,
} from "../posix/child_process.ts";
import { fromOrigin } from "../posix/program.ts";
import type {
  CommandProcess,
  ExitStatus,
  ProgramProcess,
  SpawnCommandOptions,
  SpawnedProcess,
  SpawnProgramOptions,
} from "../runtime.ts";
import { descriptorChannel } from "./channel.ts";
import { childEnvironment, childFlags } from "./flags.ts";
import type { BunChild, BunFileSink, BunNamespace, BunStdio } from "./namespace.ts";
import { ADDRESS, CHILD_FD, isBinary } from "./index.ts";

declare const Bun: BunNamespace;

/**
 * Bun knows its program by the real path only. Behind a link, such as `current`, the name leads to another release after a switch. Other
 * runtimes evaluate this where a bundle is one file.
 */
const NAMED = "Bun" in globalThis ? namedProgram() : "";

function namedProgram(): string {
  try {
    const commandLine = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
    const name = fromOrigin(commandLine[commandLine.length - process.argv.length + 1] ?? "");
    // The ending may have been left out.
    const names = [name, join(dirname(name), basename(Bun.main))];
    return names.find((path) => existsSync(path) && realpathSync(path) === Bun.main) ?? Bun.main;
  } catch {
    // Not Linux.
    return Bun.main;
  }
}

/** Creates a process of the same program, whose side of the channel is in `channel.ts`. */
export async function spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
  const [what, ...command] = programCommand(options);
  const bun: Start = {
    command: [process.execPath, ...command, ...process.argv.slice(2)],
    env: childEnvironment(options.env(ADDRESS)),
  };
  const { child, ...started } = startProcess({
    ...options,
    ...options.group ? leader(bun, groupTools) : { ...bun, detached: false },
    what: `program "${what}"`,
    stdin: "ignore",
    streams: ["stdout", "stderr"],
    more: ["pipe"],
  });
  const fd = child.stdio[CHILD_FD];
  if (typeof fd !== "number") {
    throw new Error(`Cannot open the channel to process ${child.pid}: Bun made none for it, report this as a fault`);
  }
  const channel = await descriptorChannel(fd);
  void started.exited.then(() => channel.otherSideGone());
  return { ...started, channel: Promise.resolve(channel) };
}

/** By itself Bun reads `.env`, and with it what this process is not to have. */
const OWN_ENVIRONMENT = "--no-env-file";

/** Its name for messages, then what follows the executable; a compiled binary has its program inside. */
function programCommand({ program: given, flags = [] }: Pick<SpawnProgramOptions, "program" | "flags">): string[] {
  if (isBinary()) return [process.execPath];
  const program = given === undefined ? realpathSync(NAMED) : programPath(given);
  return [program, OWN_ENVIRONMENT, ...childFlags(process.execArgv, process.env["BUN_OPTIONS"]), ...flags, program];
}

/**
 * Creates a process of another program. Not by `node:child_process`, whose standard input says nothing in Bun when the process has
 * closed its side.
 */
// deno-lint-ignore require-await
export async function spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess> {
  const start = commandStart(command, options);
  const { child, pid, exited, kill, groupRuns } = startProcess({ ...start, stdin: "pipe", streams: ["stderr"] });
  const { stdin, stdout } = child;
  if (!isSink(stdin) || !(stdout instanceof ReadableStream)) {
    throw new Error(`Cannot open the pipes to process ${pid}: the runtime made none for it, report this as a fault`);
  }
  const channel = newChannel(stdin, stdout);
  void exited.then(() => channel.otherSideGone());
  return { pid, exited, kill, groupRuns, channel };
}

// deno-lint-ignore require-await
export async function spawnDaemon(command: readonly string[], options: SpawnCommandOptions): Promise<SpawnedProcess> {
  return startProcess({ ...commandStart(command, options), stdin: "ignore", streams: ["stdout", "stderr"] });
}

function newChannel(sink: BunFileSink, stream: ReadableStream<Uint8Array>): PullChannel {
  return new PullChannel(streamSource(stream), {
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

interface BunProcess extends SpawnedProcess {
  readonly child: BunChild;
}

interface BunProcessOptions extends StartOptions, Start {
  /** Whether it gets a session of its own. */
  readonly detached: boolean;
  readonly stdin: BunStdio;
  /** Descriptors above 2. "pipe" makes a socket pair. */
  readonly more?: readonly BunStdio[];
}

function startProcess(options: BunProcessOptions): BunProcess {
  const output = new ChildOutput();
  let gone = false;
  let end = (_status: ExitStatus) => {};
  const ended = new Promise<ExitStatus>((resolve) => end = resolve);
  const child = start(options, (status) => {
    gone = true;
    end(status);
  });
  const signals = signalsOf({ pid: child.pid, group: options.group, isGone: () => gone }, system);
  for (const name of options.streams) {
    const stream = child[name];
    if (stream instanceof ReadableStream) void output.follow(stream, (chunk) => options.output?.(name, chunk));
  }
  return {
    child,
    pid: child.pid,
    exited: ended.then(async (status) => {
      await output.drained();
      return status;
    }),
    ...signals,
  };
}

function start(options: BunProcessOptions, ended: (status: ExitStatus) => void): BunChild {
  const { stdin, streams, output, more = [] } = options;
  const shown = (name: "stdout" | "stderr") => streams.includes(name) && output === undefined ? "ignore" : "pipe";
  try {
    return Bun.spawn([...options.command], {
      stdio: [stdin, shown("stdout"), shown("stderr"), ...more],
      env: options.env,
      detached: options.detached,
      onExit({ signalCode: signal }, code) {
        ended(signal === null ? { code, signal } : { code: null, signal });
      },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } catch (cause) {
    throw spawnError({ what: options.what, cause, cwd: options.cwd, isFolder, read: groupTools.read });
  }
}
