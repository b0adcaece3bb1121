import type { EventFields, EventId } from "./record.ts";
import type { ModuleCleanup } from "../wire/status.ts";

/**
 * What an event's lines show of its fields: enough to print them, and all that a reader of lines can know.
 * Every `EventFields[Id]` is a `PrintedFields[Id]`.
 */
export interface PrintedFields extends
  Omit<
    EventFields,
    | "cleanup.receipt"
    | "call.another-answer"
    | "call.timeout"
    | "call.error"
    | "call.answered"
    | "program.notification"
  > {
  "cleanup.receipt": Omit<EventFields["cleanup.receipt"], "modules"> & {
    readonly modules: readonly Pick<ModuleCleanup, "name" | "ms">[];
  };
  "call.another-answer": Pick<EventFields["call.another-answer"], "command">;
  "call.timeout": Pick<EventFields["call.timeout"], "command" | "target" | "timeoutMs">;
  "call.error": Omit<EventFields["call.error"], "code">;
  "program.notification": Omit<EventFields["program.notification"], "params">;
  "call.answered": Omit<EventFields["call.answered"], "attempts">;
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
