/**
 * What a caller is made of, and what one call may say.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import type { CallHeaders } from "../wire/call_headers.ts";
import type { CodecName } from "../wire/codec.ts";
import type { Reporter } from "../log/reporter.ts";
import type { CallCounters } from "./counters.ts";
import type { QueueLimits } from "./queue.ts";

export interface CallerLimits extends QueueLimits {
  /** Calls that may be out at the same time. */
  readonly concurrency: number;
}

export const DEFAULT_LIMITS: CallerLimits = { calls: 20_000, bytes: 64 * 1024 * 1024, concurrency: Infinity };

export interface CallerOptions {
  readonly clock: Clock;
  /** What calls are encoded with before the first link says it. @default "compact" */
  readonly codec?: CodecName;
  readonly reporter: Reporter;
  readonly counters: CallCounters;
  /** The module in the prefix of the lines; the callee's own name stands in each request. */
  readonly module: string;
  readonly limits: CallerLimits;
  readonly frameLimit: number;
  readonly thread: () => string | undefined;
  /** As the runtime says. @default false */
  readonly tracesPromises?: boolean;
  /** Where brokkr's own files are, for stacks. */
  readonly ownFiles: readonly string[];
}

/** What a call may say beside its command and parameters. */
export interface SubmitOptions {
  readonly target: string;
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  readonly thread?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the whole call, whatever progress it makes. @default no limit */
  readonly totalTimeoutMs?: number | undefined;
  /** Gets what the handler tells of its progress. What it throws is an uncaught error of this process. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** Gets each item and its bytes, where the call is a stream. */
  readonly onItem?: ((item: unknown, bytes: number) => void) | undefined;
  readonly wire?: CallHeaders | undefined;
  /** Without lines: whoever made the call writes them. */
  readonly quiet?: boolean | undefined;
}
