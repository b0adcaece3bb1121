/**
 * Events and records. Every process of a broker makes {@link LogEvent}s; they reach the broker, which turns each into a
 * {@link LogRecord} for the program's `log` function.
 */

import type { EventFields, EventId, PrintedFields } from "./events.ts";
import type { LogLevel } from "./prefix.ts";

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

/** An event as it can be printed: an event of this process, or one that was read from a log. */
export interface PrintedOf<Id extends EventId> {
  readonly event: Id;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Where null, the line has no such bracket. */
  readonly pid: number | null;
  readonly module: string;
  /** Where null, the line has no such bracket. */
  readonly thread: string | null;
  readonly fields: PrintedFields[Id];
}

/** {@link PrintedOf}, discriminated by its `event`. */
export type PrintedEvent = { [Id in EventId]: PrintedOf<Id> }[EventId];
