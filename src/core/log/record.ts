/**
 * What a log line is made of. Every process of a broker makes {@link LogEvent}s; they reach the broker, which turns each
 * into a {@link LogRecord} for the program's `log` function.
 *
 * @module
 */

export type LogLevel = "debug" | "info" | "warning" | "error" | "fatal";

/** Fields of each event, by its id. Plain JSON values: they cross processes. Times are milliseconds. */
export interface EventFields {
  "cleanup.start": Record<never, never>;
  "cleanup.done": { readonly ms: number };
  /** `owner`: the module whose data could not be cleaned. `stack`: lines as they are printed, see `stack.ts`. */
  "cleanup.error": { readonly owner: string; readonly message: string; readonly stack: readonly string[] };
  "cleanup.receipt": {
    readonly ms: number;
    readonly released: readonly string[];
    readonly errors: number;
    readonly before: ResourceFigures;
    readonly after: ResourceFigures;
  };

  /** `target`: the callee's name, a module or a worker such as `M-1`. */
  "call.retry": { readonly command: string; readonly target: string; readonly timeoutMs: number };
  "call.another-answer": { readonly command: string; readonly target: string };
  "call.timeout": {
    readonly command: string;
    readonly target: string;
    readonly timeoutMs: number;
    readonly attempts: number;
    readonly sent: boolean;
    readonly peer: "blocked" | "slow";
  };
  /** `stack`: the remote error's, as printed; empty where nothing was thrown. */
  "call.error": {
    readonly command: string;
    readonly target: string;
    readonly code: string;
    readonly message: string;
    readonly stack: readonly string[];
  };
  "call.answered": {
    readonly command: string;
    readonly target: string;
    readonly ms: number;
    readonly attempts: number;
  };
  "answer.late": { readonly target: string; readonly command: string | null; readonly id: string };
  "answer.duplicate": { readonly target: string; readonly command: string | null; readonly id: string };
  "answer.unknown": { readonly target: string; readonly command: string | null; readonly id: string };
  "command.unknown": { readonly command: string };
  "command.error": { readonly command: string; readonly message: string; readonly stack: readonly string[] };
  /** `params`: JSON text, already cut at 1,000 characters. */
  "command.executing": { readonly command: string; readonly params: string };

  /** `process`: the module's or worker's name in all `process.*` events. `childPid` is null before there is one. */
  "process.starting": { readonly process: string; readonly generation: number };
  "process.ready": { readonly process: string; readonly childPid: number; readonly ms: number };
  "process.output": {
    readonly process: string;
    readonly childPid: number;
    readonly stream: "stdout" | "stderr";
    readonly text: string;
  };
  "process.dropped": { readonly process: string; readonly what: string; readonly count: number };
  "process.exited": {
    readonly process: string;
    readonly childPid: number | null;
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly reason: string;
    readonly expected: boolean;
  };
  "process.backoff": { readonly process: string; readonly delayMs: number; readonly restarts: number };
  "process.failed": { readonly process: string; readonly reason: string; readonly remedy: string };
  "process.stopping": { readonly process: string; readonly childPid: number | null };
  "process.stopped": { readonly process: string; readonly ms: number };
  /** What a module writes with `ctx.log`. */
  "module.debug": { readonly text: string };
  "module.info": { readonly text: string };
  "module.warning": { readonly text: string };
  "module.error": { readonly text: string };
  "broker.ready": { readonly modules: number; readonly failed: number; readonly ms: number };
  "broker.stopped": { readonly ms: number };
}

/** Stable id of an event. More may join; none changes. */
export type EventId = keyof EventFields;

/** What a process uses; `null` where the system can't tell. */
export interface ResourceFigures {
  readonly pssBytes: number | null;
  readonly privateBytes: number | null;
  readonly heapBytes: number | null;
  readonly openFiles: number | null;
}

interface EventOf<Id extends EventId> {
  readonly event: Id;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The process that writes. */
  readonly pid: number;
  /** The module (or worker) that stands in the line's prefix. */
  readonly module: string;
  /** The thread that stands in the line's prefix, where it has one. */
  readonly thread: string;
  readonly fields: EventFields[Id];
}

/** One event, discriminated by its `event`. */
export type LogEvent<Id extends EventId = EventId> = { [I in Id]: EventOf<I> }[Id];

/** What the names and layout of the lines depend on. */
export interface LineStyle {
  /** Name of the broker. */
  readonly broker: string;
  /** Name of the product in the cleanup lines. @default "Shinken" */
  readonly product: string;
  /** Pads levels and names into columns. @default false */
  readonly aligned: boolean;
}

/** What the `log` function of a program gets. */
export interface LogRecord<Id extends EventId = EventId> {
  readonly level: LogLevel;
  readonly event: Id;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly pid: number;
  readonly module: string;
  readonly thread: string;
  readonly fields: EventFields[Id];
  /** The record as the operator's lines, without line ends. */
  lines(): string[];
}

export const MAIN_THREAD = "MainThread";
