/**
 * Where the parts of brokkr say what happened. In the broker it ends in the program's `log` function, in any other process it
 * goes over the channel.
 *
 * @module
 */

import type { EventFields, EventId } from "./record.ts";

/** What stands in the line's prefix. */
export interface Subject {
  /** Module or worker. */
  readonly module: string;
  /** @default the thread that runs now */
  readonly thread?: string | undefined;
}

export interface Reporter {
  /** Whether anyone wants this event. Asked before its fields are made, so that DEBUG costs nothing when it is off. */
  wants(event: EventId): boolean;
  report<Id extends EventId>(event: Id, fields: EventFields[Id], subject: Subject): void;
}
