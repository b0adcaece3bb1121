/**
 * Where the parts of brokkr report what happened. In the broker it ends in the program's `log` function, in any other process it
 * goes over the channel.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { EventFields, EventId } from "./events.ts";
import { type LogEvent, MAIN_THREAD } from "./record.ts";

export interface Reporter {
  /** Whether anyone wants this event. Ask before its fields are made, so that DEBUG costs nothing when it is off. */
  wants(event: EventId): boolean;
  report<Id extends EventId>(event: Id, fields: EventFields[Id], subject: Subject): void;
}

/** What stands in the line's prefix. */
export interface Subject {
  /** Module or worker. */
  readonly module: string;
  /** @default the thread that runs now */
  readonly thread?: string | undefined;
}

/** An event that happens now, in this process. */
export function makeEvent<Id extends EventId>(
  runtime: Runtime,
  event: Id,
  fields: EventFields[Id],
  subject: Subject,
): LogEvent {
  const { module, thread = runtime.thread() ?? MAIN_THREAD } = subject;
  const made = { event, time: runtime.clock.wall(), pid: runtime.pid, module, thread, fields };
  // `event` and `fields` share `Id`, which TypeScript can't carry into the union over all ids.
  return made as unknown as LogEvent;
}
