/** A process that this one starts, whichever runtime does it: its group, its signals, the end of its output, why it could not be started. */

import { attempt } from "./proc.ts";
import { whenSilent } from "./clock.ts";
import { failureCode, failureReason } from "./failure_reason.ts";
import type { SpawnCommandOptions, SpawnedProcess, SpawnOptions } from "../runtime.ts";

/** The system's `kill`: a signal, or 0 to only look. Throws where there is no such process. */
export type Kill = (pid: number, signal: string | 0) => void;

/** The target of a signal: a process that may be gone, and the group it may have led. */
export interface Target {
  readonly pid: number;
  /** When the process was started; null where the system does not say. */
  readonly startTime: string | null;
  /** Its end has been seen, so its pid may be another process' by now. */
  readonly isGone: boolean;
  readonly group: boolean;
}

export interface System {
  readonly kill: Kill;
  readonly startTime: (pid: number) => string | null;
  /** Whether one of the processes that the group has has not ended. */
  readonly groupRuns: (group: number) => boolean;
}

/** False where there is no process to signal. */
export function signalProcess(
  signal: string | 0,
  { pid, startTime, isGone, group }: Target,
  system: Omit<System, "groupRuns">,
): boolean {
  // The runtime may have collected the process without having said so yet.
  const now = startTime === null || isGone ? startTime : system.startTime(pid);
  if (now !== null && now !== startTime) return false;
  // A group keeps its number from being given to a new process. One without a process of that number is the orphans' own.
  const isEmpty = isGone || now !== startTime;
  if (isEmpty && !(group && !succeeds(() => system.kill(pid, 0)))) return false;
  if (group && succeeds(() => system.kill(-pid, signal))) return true;
  // It may not lead its group yet.
  return !isEmpty && succeeds(() => system.kill(pid, signal));
}

/** How to signal the process `pid`, which has just been started, and with `group` whatever is in the group that it leads. */
export function signalsOf(
  { pid, group, isGone }: { readonly pid: number; readonly group: boolean; readonly isGone: () => boolean },
  system: System,
): Pick<SpawnedProcess, "kill" | "groupRuns"> {
  const startTime = system.startTime(pid);
  const send = (signal: string | 0, group: boolean) =>
    signalProcess(signal, { pid, startTime, isGone: isGone(), group }, system);
  return {
    kill: (signal, options) => send(signal, group && options?.group === true),
    groupRuns: () => group && send(0, true) && system.groupRuns(pid),
  };
}

function succeeds(fn: () => void): boolean {
  return attempt(() => {
    fn();
    return true;
  }) ?? false;
}

/*
 * A process that leads a group without a session of its own. Linux schedules each session as one (`sched_autogroup`). On a busy
 * machine a process that is woken from another session waits for its turn, which makes milliseconds of a call that takes
 * microseconds. No runtime makes a group alone, so Perl does, which is part of every Debian and of most others: 1.5 ms a start. Where
 * there is none the group gets a session too.
 */

const PERL = "/usr/bin/perl";
/** "1" where each session is scheduled as one. */
const AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled";

/** `TIOCNOTTY`: a group in the background would be stopped when it reads from its terminal; one that has none can't. */
const LEAVE_TERMINAL = `if (open my $tty, "<", "/dev/tty") { ioctl $tty, 0x5422, 0 }`;
/** Keeps Perl from complaining of a locale that the system lacks. A number that others do not use, since it is removed again. */
const QUIET = "00";
const LEAD = [
  "setpgrp",
  `delete $ENV{PERL_BADLANG} if $ENV{PERL_BADLANG} eq "${QUIET}"`,
  `${LEAVE_TERMINAL} exec { $ARGV[0] } @ARGV`,
  `die "$ARGV[0]: $!\\n"`,
].join("; ");

export interface Start {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** What this process may do; each throws where it may not. */
export interface GroupTools {
  canRun(path: string): boolean;
  read(path: string): string;
}

/**
 * How to start what is to lead a group, and whether the runtime has to make it, with a session (`detached`). Until Perl has run, for
 * about a millisecond, the process is in the group of this one.
 */
export function leader({ command, env }: Start, tools: GroupTools): Start & { readonly detached: boolean } {
  if (!canLead({ command, env }, tools)) return { command, env, detached: true };
  return { command: [PERL, "-e", LEAD, ...command], env: { PERL_BADLANG: QUIET, ...env }, detached: false };
}

function canLead({ command: [executable], env }: Start, { canRun, read }: GroupTools): boolean {
  // Perl would load what that says.
  if (env["PERL5OPT"] !== undefined) return false;
  // Where the runtime itself is gone, its own error says so, and Perl only exits.
  return attempt(() => read(AUTOGROUP).startsWith("1") && canRun(PERL) && canRun(executable)) ?? false;
}

/** How a process is started and followed, whichever runtime does it. */
export interface StartOptions extends SpawnOptions {
  /** For error messages: what is started. */
  readonly what: string;
  /** The streams that go to `output`; the rest is the caller's. */
  readonly streams: readonly ("stdout" | "stderr")[];
}

/** The start of another program, which leads its group by a session of its own. */
export function commandStart(
  command: readonly string[],
  options: SpawnCommandOptions,
): SpawnCommandOptions & Start & { readonly detached: boolean; readonly what: string } {
  const [executable = "", ...args] = command;
  return { ...options, command: [executable, ...args], detached: options.group, what: `command "${executable}"` };
}

/** Follows what a process prints, to know when all of its own output has been delivered. */
export class ChildOutput {
  #open = 0;
  #chunks = 0;
  #allEnded: (() => void) | undefined;

  /** Hands each chunk of `stream` to `sink`, and reads on when what that returns has settled. */
  async follow(stream: ReadableStream<Uint8Array>, sink: (chunk: Uint8Array) => unknown): Promise<void> {
    this.opened();
    const reader = stream.getReader();
    for (;;) {
      // What can't be read on has ended, which the end of the process says too.
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (value === undefined) break;
      this.chunk();
      await sink(value);
    }
    this.ended();
  }

  /** Called for each stream before its first chunk. */
  opened(): void {
    this.#open++;
  }

  chunk(): void {
    this.#chunks++;
  }

  ended(): void {
    this.#open--;
    if (this.#open === 0) this.#allEnded?.();
  }

  /** Called once the process has ended. A grandchild may hold its streams open for ever: silence is an end too. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open === 0) return resolve();
      const stop = whenSilent(() => this.#chunks, resolve);
      this.#allEnded = () => {
        stop();
        resolve();
      };
    });
  }
}

export interface SpawnFailure {
  readonly what: string;
  readonly cause: unknown;
  readonly cwd: string | undefined;
  isFolder(path: string): boolean;
  /** @throws where there is no such file, or it can't be read. */
  read(path: string): string;
}

/** Why the executable of a command could not be started. It stays so until someone changes something. */
class CommandError extends Error {
  readonly lasting = true;
}

/** Why a process could not be created, in words that say what to do. */
export function spawnError({ what, cause, cwd, isFolder, read }: SpawnFailure): Error {
  if (cwd !== undefined && !isFolder(cwd)) {
    return new Error(
      `Cannot start ${what}: working directory "${cwd}" does not exist, create it or correct "cwd"`,
      { cause },
    );
  }
  const code = failureCode(cause);
  const isLasting = what.startsWith("command ") && LASTING.has(code);
  const Class = isLasting ? CommandError : Error;
  const path = /^command "(.*\/.*)"$/.exec(what)?.[1];
  const script = code === "ENOENT" && path !== undefined ? scriptAt(path, { cwd, read }) : null;
  return new Class(`Cannot start ${what}: ${script ?? reason(cause)}`, { cause });
}

const LASTING: ReadonlySet<string | undefined> = new Set(["ENOENT", "EACCES", "ENOEXEC"]);

/** What is wrong with a script that is there and can't be started, as the system says only that something does not exist. */
function scriptAt(path: string, { cwd, read }: Pick<SpawnFailure, "cwd" | "read">): string | null {
  const script = attempt(() => read(path.startsWith("/") || cwd === undefined ? path : `${cwd}/${path}`));
  const interpreter = script === undefined ? null : interpreterOf(script);
  return interpreter === null ? null : noInterpreter(interpreter);
}

/** The interpreter that the first line of a script names, as the system reads it: with the CR of a line that ends in CR LF. */
export function interpreterOf(script: string): string | null {
  return /^#![ \t]*([^ \t\n]+)/.exec(script)?.[1] ?? null;
}

export function noInterpreter(interpreter: string): string {
  const remedy = interpreter.endsWith("\r")
    ? "save it with line ends of LF, not CR LF"
    : "install it or correct that line";
  return `the interpreter ${JSON.stringify(interpreter)} of its first line does not exist, ${remedy}`;
}

function reason(cause: unknown): string {
  switch (failureCode(cause)) {
    case "ENOENT":
      return "the executable does not exist, install it or correct its path";
    case "ENOEXEC":
      return "the executable is no program for this system, a script needs a first line such as #!/bin/sh";
    case "EACCES":
      return "the executable may not be run, check its mode";
    case "E2BIG":
      return "arguments and environment are too long, shorten them";
    default:
      return failureReason(cause);
  }
}
