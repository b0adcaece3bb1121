/**
 * What a log line is made of. Every process of a broker makes {@link LogEvent}s; they reach the broker, which turns each
 * into a {@link LogRecord} for the program's `log` function.
 *
 * @module
 */

import type { CleanupReceipt } from "../wire/status.ts";
import type { SupervisionFields } from "./supervision_lines.ts";

/** How serious a record is, in rising order. */
export type LogLevel = "debug" | "info" | "warning" | "error" | "fatal";

/** Fields of each event, by its id. Plain JSON values: they cross processes. Times are milliseconds. */
export interface EventFields extends SupervisionFields {
  /** INFO: a new process begins to release what belongs to the other modules. */
  "cleanup.start": Record<never, never>;
  /** INFO: the cleanup is over. */
  "cleanup.done": { readonly ms: number };
  /** ERROR: a cleanup failed. `owner`: the module whose data could not be cleaned. `stack`: lines as they are printed, see `stack.ts`. */
  "cleanup.error": { readonly owner: string; readonly message: string; readonly stack: readonly string[] };
  /** DEBUG: what the cleanup released, and what the process used before and after it. */
  "cleanup.receipt": CleanupReceipt;

  /** WARNING: the first attempt got no answer in time. `target`: the callee's name, a module or a worker such as `M-1`. */
  "call.retry": { readonly command: string; readonly target: string; readonly timeoutMs: number };
  /** WARNING: an answer came that no call waits for, so the oldest waiting call was sent again. */
  "call.another-answer": { readonly command: string; readonly target: string };
  /** ERROR: a call was given up. `sent`: whether it ever left the queue. */
  "call.timeout": {
    readonly command: string;
    readonly target: string;
    readonly timeoutMs: number;
    readonly attempts: number;
    readonly sent: boolean;
    readonly peer: "blocked" | "slow";
  };
  /** ERROR: a call failed otherwise. `stack`: the remote error's, as printed; empty where nothing was thrown. */
  "call.error": {
    readonly command: string;
    readonly target: string;
    readonly code: string;
    readonly message: string;
    readonly stack: readonly string[];
  };
  /** DEBUG: why an attempt got no answer in time. `silentMs`: since the callee's last sign of life, which it was asked for when half of the time was over. */
  "call.silence": {
    readonly command: string;
    readonly target: string;
    readonly attempt: number;
    readonly peer: "blocked" | "slow";
    readonly silentMs: number;
  };
  /** DEBUG: a call was answered, after `attempts` attempts. */
  "call.answered": {
    readonly command: string;
    readonly target: string;
    readonly ms: number;
    readonly attempts: number;
  };
  /** DEBUG: the answer to a call that was given up before. `command` is null where it is no longer known. */
  "answer.late": { readonly target: string; readonly command: string | null; readonly id: string };
  /** DEBUG: a second answer to a call that was answered. */
  "answer.duplicate": { readonly target: string; readonly command: string | null; readonly id: string };
  /** DEBUG: an answer to a call that was never made. */
  "answer.unknown": { readonly target: string; readonly command: string | null; readonly id: string };
  /** WARNING: a process was called with a command that it does not have. */
  "command.unknown": { readonly command: string };
  /** ERROR: a command threw, as its own process tells it. */
  "command.error": { readonly command: string; readonly message: string; readonly stack: readonly string[] };
  /** DEBUG: a command begins. `params`: JSON text, already cut at 1,000 characters. */
  "command.executing": { readonly command: string; readonly params: string };

  /** INFO: a process is created. `process`, here and below: name of the module or worker. */
  "process.starting": { readonly process: string; readonly generation: number };
  /** INFO: a process serves commands, `ms` after it was created. */
  "process.ready": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** A line that a process wrote to its standard output or standard error. `level`: guessed by its form, INFO where it has none. */
  "process.output": {
    readonly process: string;
    readonly childPid: number;
    readonly stream: "stdout" | "stderr";
    readonly text: string;
    readonly level: Exclude<LogLevel, "fatal">;
  };
  /** DEBUG: a program of another language told something of its own accord. `params`: as it sent them, or null. */
  "program.notification": { readonly process: string; readonly method: string; readonly params: unknown };
  /** WARNING: something that a process sent was not understood, or was more than it may print, and was left out. */
  "process.dropped": { readonly process: string; readonly what: string; readonly count: number };
  /** A process ended: INFO where that was asked for (`expected`), else WARNING. */
  "process.exited": {
    readonly process: string;
    readonly childPid: number | null;
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly reason: string;
    readonly expected: boolean;
  };
  /** WARNING: a process is started again after a pause. */
  "process.backoff": { readonly process: string; readonly delayMs: number; readonly restarts: number };
  /** FATAL: a process will not be started again. */
  "process.failed": { readonly process: string; readonly reason: string; readonly remedy: string };
  /** WARNING: what a broker of this name left behind, when it was killed, was ended. `process`: the module it was of. `ms`: its age. */
  "process.orphan": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** INFO: a process was told to finish its work and end. */
  "process.stopping": { readonly process: string; readonly childPid: number | null };
  /** INFO: a process has ended as it was told. */
  "process.stopped": { readonly process: string; readonly ms: number };
  /** What a module writes with `ctx.log.debug`. */
  "module.debug": { readonly text: string };
  /** The same at INFO. */
  "module.info": { readonly text: string };
  /** The same at WARNING. */
  "module.warning": { readonly text: string };
  /** The same at ERROR. */
  "module.error": { readonly text: string };
  /** INFO: every module is ready or has failed its first start. */
  "broker.ready": { readonly modules: number; readonly failed: number; readonly ms: number };
  /** INFO: every process has ended. */
  "broker.stopped": { readonly ms: number };
}

/** Stable id of an event. More may join; none changes. */
export type EventId = keyof EventFields;

/** One event, discriminated by its `event`. */
export type LogEvent<Id extends EventId = EventId> = {
  [I in Id]: {
    readonly event: I;
    /** Milliseconds since the epoch. */
    readonly time: number;
    /** The process that writes. */
    readonly pid: number;
    /** The module (or worker) that stands in the line's prefix. */
    readonly module: string;
    /** The thread that stands in the line's prefix, where it has one. */
    readonly thread: string;
    readonly fields: EventFields[I];
  };
}[Id];

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
  /** How serious it is. */
  readonly level: LogLevel;
  /** What happened. */
  readonly event: Id;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The process that writes. */
  readonly pid: number;
  /** The module (or worker) that stands in the line's prefix. */
  readonly module: string;
  /** The thread that stands in the line's prefix, where it has one. */
  readonly thread: string;
  /** The facts of the event; their shape is that of `EventFields` at `event`. */
  readonly fields: EventFields[Id];
  /** The record as the operator's lines, without line ends. */
  lines(): string[];
}

export const MAIN_THREAD = "MainThread";
