/**
 * What one life of a process is made of, and what comes out of it.
 *
 * @module
 */

import type { ExitStatus, Runtime, Sandbox } from "../../runtime/runtime.ts";
import type { CallServer } from "../call/server.ts";
import type { CallClient } from "../call/client.ts";
import type { Link } from "../wire/link.ts";
import type { ControlFromChild, Hello, Setup } from "../wire/messages.ts";
import type { CleanupReceipt } from "../wire/status.ts";
import type { OutputEvents } from "./output.ts";
import type { Descendants } from "../module/settings.ts";
import type { SupervisionPlan } from "../module/settings.ts";

/** How a process ended. */
export interface ProcessEnd extends ExitStatus {
  /** What brokkr knows beyond the exit: a refused hello, a broken frame, a start hook that threw. */
  readonly why: string | null;
  /** The module whose cleanup it ended in. */
  readonly cleaning: string | null;
  /** Whether another start would end the same. */
  readonly lasting?: boolean;
  /** Whether it reached what makes it a process of its broker. @default true */
  readonly wasGreeted?: boolean;
  /** Whether it was ready before. */
  readonly wasReady: boolean;
  readonly lastLines: readonly string[];
}

export interface ProcessRunEvents extends OutputEvents {
  greeted(hello: Hello): void;
  /** The costly part of its start is over: the cleanup, or, of a program of another language, what it does before it asks or waits. */
  cleaned(): void;
  /** `cleanup` is null for a program of another language, which has nothing to clean. */
  ready(commands: readonly string[], cleanup: CleanupReceipt | null): void;
  /** What it reports, of which nothing is checked. @throws {BodyError} where that is none of what a process may report. */
  records(events: readonly unknown[]): void;
  notice(notice: ControlFromChild): void;
  /** It has answered a ping. */
  alive(): void;
  /** The process was sent a signal, and why. */
  killed(signal: string, reason: string): void;
  /** The last event. */
  ended(end: ProcessEnd): void;
}

export interface ProcessRunOptions {
  readonly runtime: Runtime;
  readonly program: string | undefined;
  /** Where it starts, asked for at each start. */
  readonly cwd: (() => string) | undefined;
  /** Fewer rights than this process has. @default the same */
  readonly sandbox?: Sandbox | undefined;
  /** Whether the process has something to clean, and garbage to collect then. @default true */
  readonly collects?: boolean | undefined;
  readonly env: (channelAddress: string) => Readonly<Record<string, string>>;
  /** In a process group of its own. */
  readonly group: boolean;
  /** Whether what it started goes with it. */
  readonly descendants: Descendants;
  readonly hello: Omit<Hello, "protocol" | "version" | "pid" | "runtime" | "setup">;
  readonly setup: () => Setup;
  readonly frameLimit: number;
  /** For its end, once it is asked to. */
  readonly deadlines: Pick<SupervisionPlan, "drainMs" | "killMs">;
  /** Calls to the process. */
  readonly caller: CallClient;
  /** Makes the side that runs the process' calls. */
  readonly callee: (link: Link) => CallServer;
  readonly events: ProcessRunEvents;
}
