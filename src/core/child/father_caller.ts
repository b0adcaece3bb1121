/**
 * The calls of a process to its father, loaded at the first one: many a module only answers.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { CallClient, DEFAULT_LIMITS } from "../call/client.ts";
import { CallCounters } from "../call/outcomes.ts";
import type { Link } from "../wire/link.ts";
import type { Reporter } from "../log/reporter.ts";

export interface FatherCallerOptions {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  /** Name of this process. */
  readonly process: string;
  readonly frameLimit: number;
}

export function newFatherCaller(link: Link, options: FatherCallerOptions): CallClient {
  const { runtime, reporter, process, frameLimit } = options;
  const caller = new CallClient({
    clock: runtime.clock,
    reporter,
    counters: new CallCounters(),
    module: process,
    limits: DEFAULT_LIMITS,
    frameLimit,
    thread: runtime.thread,
    tracesPromises: runtime.tracesPromises,
    ownFiles: runtime.ownFiles,
  });
  caller.connect(link);
  return caller;
}
