/** What describes a child process to its parent: made once, and never changed. A changed configuration makes another one. */

import type { ExitStatus, OutputSink, ProgramProcess, Runtime, Sandbox } from "../../runtime/runtime.ts";
import type { CallClient } from "../call/client.ts";
import type { Service } from "../call/server.ts";
import type { LogEvent } from "../log/events.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Descendants } from "../settings/settings.ts";
import type { CallTargets, ControlFromChild, ControlFromParent, EndSignal, Setup } from "../wire/messages.ts";
import type { Link } from "../wire/link.ts";
import type { CleanupReceipt } from "../wire/status.ts";
import type { Guard } from "./guard.ts";
import type { OutputEvents } from "./output.ts";
import type { StartQueue } from "./starts.ts";

export interface ParentProcess {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly broker: string;
  /** Name of the parent: the broker's, or that of a module with workers. */
  readonly name: string;
  /** What kills its children when the broker is gone; workers are in the group of their module instead. */
  readonly guard: Guard | null;
  readonly starts: StartQueue;
  /** Where a start finds a process that was kept ready. @default none */
  readonly standbys?: StandbySource;
  readonly service: Service;
  /** Ids of the events that someone wants. */
  readonly wanted: () => readonly string[];
  readonly targets: () => CallTargets;
  /** Receives the events of a child that it may report. */
  readonly records: (events: readonly LogEvent[]) => void;
}

export interface StandbySource {
  /** One that has become what `spec` says, and has answered; null where there is none. */
  take(spec: ChildSpec, output: OutputSink): Promise<ProgramProcess | null>;
}

export interface ChildSpec {
  readonly parent: ParentProcess;
  /** Name of the process, and of the module in the prefix of the lines about it. */
  readonly name: string;
  readonly module: string;
  /** How many workers it has, or null where only the process itself knows it. */
  readonly workers: number | null;
  readonly isWorker: (process: string) => boolean;
  /** URL or path of the program that it runs; undefined for that of its parent. */
  readonly program: string | undefined;
  /** Where it starts, asked for at each start. */
  readonly cwd: () => string;
  readonly env: (channelAddress: string) => Readonly<Record<string, string>>;
  readonly sandbox?: Sandbox | undefined;
  /** Flags of the runtime, after those of its parent. */
  readonly flags?: readonly string[] | undefined;
  /** Whether a process that was kept ready can become this one. @default false */
  readonly takesStandby?: boolean;
  /** Whether the process has something to clean, and garbage to collect then. */
  readonly collects: boolean;
  readonly descendants: Descendants;
  /** What it receives in the hello, beside what its parent has for all of its children then. */
  readonly setup: Omit<Setup, "wanted" | keyof CallTargets>;
  /** What the process must reach in time. */
  readonly goal: string;
  /** Why it may take longer, and what to do. @default nothing is known */
  readonly whyLate?: string;
  /** Whether it runs the program of its parent, which has to come to its `Broker.start` first. */
  readonly runsProgram: boolean;
  /** Whether calls can be made to it; two of one that takes none never run beside each other. @default true */
  readonly takesCalls?: boolean;
  /** Begins a session of a program of another language. @default one of a module */
  readonly newSession?: NewSession;
}

/** One run of the process, whatever protocol it speaks. */
export interface ChildSession {
  /** Null before it is spawned. */
  readonly pid: number | null;
  /** What its calls go over, when it is ready. */
  readonly link: Link | undefined;
  /** When something last came from the process, on the clock. */
  readonly heardAt: number;
  /** @throws when no process could be created. */
  spawn(): Promise<number>;
  /** Ends the process and everything it started; `why` explains it where brokkr does it on its own account. */
  kill(signal: string, why?: string | null): void;
  /** Ends a process whose start has taken too long. */
  giveUp(why: string): void;
  /** Asks the process to finish its calls and to end, by `signal` where there is one, and ends it when it does not. */
  drain(signal?: EndSignal): void;
  /** Asks for an answer, which is the event `alive`; null where there is no way to ask. */
  readonly ping: (() => void) | null;
  send(message: ControlFromParent): void;
}

export type NewSession = (parts: SessionParts) => ChildSession;

export interface SessionParts {
  readonly spec: ChildSpec;
  readonly caller: CallClient;
  readonly events: SessionEvents;
}

export interface SessionEvents extends OutputEvents {
  greeted(): void;
  /** The costly part of its start is over: the cleanup, or, of a program of another language, what it does before it asks or waits. */
  cleaned(): void;
  /** `cleanup` is null for a program of another language, which has nothing to clean. */
  ready(cleanup: CleanupReceipt | null): void;
  /** What it reports, of which nothing is checked. @throws {BodyError} where that is none of what a process may report. */
  records(events: readonly unknown[]): void;
  message(message: ControlFromChild): void;
  alive(): void;
  killed(signal: string, reason: string): void;
  ended(end: ProcessEnd): void;
}

export interface ProcessEnd extends ExitStatus {
  /** What brokkr knows beyond the exit: a refused hello, a broken frame, a start hook that threw. */
  readonly why: string | null;
  /** The module whose cleanup it ended in. */
  readonly cleaning: string | null;
  /** Whether another start would end the same. */
  readonly lasting?: boolean;
  /** Whether it reached what makes it a process of its broker. @default true */
  readonly wasGreeted?: boolean;
  readonly wasReady: boolean;
  readonly lastLines: readonly string[];
}
