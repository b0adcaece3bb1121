/**
 * Making events.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { type EventFields, type EventId, type LogEvent, MAIN_THREAD } from "./record.ts";
import type { Subject } from "./reporter.ts";

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
