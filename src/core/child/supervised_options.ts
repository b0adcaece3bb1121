/**
 * What a supervised process is made of.
 *
 * @module
 */

import type { Runtime, Sandbox } from "../../runtime/runtime.ts";
import type { CallServer } from "../call/server.ts";
import type { Link } from "../wire/link.ts";
import type { Setup } from "../wire/messages.ts";
import type { ProcessStatus } from "../wire/status.ts";
import type { LogEvent } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Guard } from "./guard.ts";
import type { NewRun } from "./run.ts";
import type { StartQueue } from "./start_queue.ts";
import type { Descendants } from "../module/settings.ts";

export interface SupervisedOptions {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  /** Name of the process, and of the module in the prefix of the lines about it. */
  readonly name: string;
  readonly module: string;
  readonly broker: string;
  /** Name of this process, its father. */
  readonly father: string;
  readonly program: string | undefined;
  /** Where it starts, asked for at each start. */
  readonly cwd: (() => string) | undefined;
  /** Fewer rights than this process has. @default the same */
  readonly sandbox?: Sandbox | undefined;
  /** Whether the process has something to clean, and garbage to collect then. @default true */
  readonly collects?: boolean | undefined;
  readonly env: (channelAddress: string) => Readonly<Record<string, string>>;
  /** What kills the process when the broker is gone; a worker is in its module's group instead. */
  readonly guard: Guard | null;
  /** Where its starts wait for their turn. */
  readonly starts: StartQueue;
  /** Whether what the process started goes with it. */
  readonly descendants: Descendants;
  readonly setup: () => Setup;
  readonly callee: (link: Link) => CallServer;
  /** Makes each life of the process, where it is a program of another language. */
  readonly newRun?: NewRun;
  /** What the process must reach in time, where that is not `Broker.start`. */
  readonly goal?: string;
  /** Whether a process of this name is a worker of the process. @default none is */
  readonly isWorker?: (name: string) => boolean;
  /** Whether it runs the program of its father, which has to come to its `Broker.start` first. @default false */
  readonly runsProgram?: boolean;
  /** Events that the process sent, as its father knows them. */
  readonly records: (events: readonly LogEvent[]) => void;
  readonly onStatus?: (request: number, workers: readonly ProcessStatus[]) => void;
  /** The process has ended. */
  readonly onEnded?: () => void;
  /** The process has ended and will not be started again. */
  readonly onFailed?: () => void;
}

export interface ReplaceOptions {
  /** What the new process is made with. @default what the old one was made with */
  readonly options?: SupervisedOptions;
  /** Lets every call that runs in the old process end, however long it takes. @default false */
  readonly patient?: boolean;
}
