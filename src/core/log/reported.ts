/**
 * The events that a process may send to its parent, and what their fields must be. What a process sends is not believed: the parent
 * says whose event it is, and when it was.
 *
 * @module
 */

import { isNumber, isText } from "../field_checks.ts";
import { isRecord } from "../inspect.ts";
import { BodyError } from "../wire/frame.ts";
import { cutText } from "./escape.ts";
import { EVENTS, isEventId } from "./events.ts";
import type { Field } from "./field_types.ts";
import type { LogEvent } from "./record.ts";

/** Characters of one event that are kept, as the broker keeps the last 500: brokkr's own have less. */
const MAX_EVENT = 256 * 1024;
const MAX_THREAD = 1_000;
/** What an item of a list takes beside its texts. */
const ITEM = 16;

/** What the parent knows of the process that sent events. */
export interface Origin {
  readonly name: string;
  readonly pid: number;
  readonly broker: string;
  /** Whether a process of this name is one of its workers. */
  readonly isWorker: (name: string) => boolean;
  /** Wall clock when the process was started, and now. */
  readonly startedAt: number;
  readonly now: number;
}

/**
 * The events that the process `origin` sent as `values`, as its parent knows them: module and pid are those of the process or of its
 * workers, and the time lies within the life of the process.
 *
 * @throws {BodyError} where one is none that a process reports.
 */
export function reportedEvents(values: readonly unknown[], origin: Origin): LogEvent[] {
  return values.map((value) => reportedEvent(value, origin));
}

function reportedEvent(value: unknown, origin: Origin): LogEvent {
  if (!isRecord(value)) throw new BodyError("a records frame is not a list of events");
  const { event, time, pid, module, thread, fields } = value;
  if (!isText(event) || !isEventId(event) || !isRecord(fields)) {
    throw new BodyError("a records frame is not a list of events");
  }
  if (typeof time !== "number" || !isNumber(pid) || !isText(module) || !isText(thread)) {
    throw new BodyError(`event ${event} has no time, pid, module or thread`);
  }
  const { isOfBroker, fields: types } = EVENTS[event];
  if (isOfBroker !== undefined) throw new BodyError(`event ${event} is none that a process reports`);
  const wrong = wrongField(fields, types);
  if (wrong !== undefined) throw new BodyError(`event ${event} has a wrong field ${wrong}`);
  const { process } = fields;
  const isOfOther = event.startsWith("process.") && isText(process) && !origin.isWorker(process);
  // A process drops what its parent sent, and of its own lines those that are too many.
  if (isOfOther && !(event === "process.dropped" && (process === origin.broker || process === origin.name))) {
    throw new BodyError(`event ${event} is of a process that is no worker of ${origin.name}`);
  }
  const isOfWorker = origin.isWorker(module);
  const room = { left: MAX_EVENT };
  const reported = {
    event,
    time: Math.min(Math.max(time, origin.startedAt), origin.now),
    pid: isOfWorker ? pid : origin.pid,
    module: isOfWorker ? module : origin.name,
    thread: cutText(thread, MAX_THREAD),
    fields: Object.fromEntries(Object.keys(types).map((key) => [key, bounded(fields[key], room)])),
  };
  // The types of the row have checked the fields of this id, which TypeScript can't carry into the union over all ids.
  return reported as unknown as LogEvent;
}

/** The first field that is not of its type. */
function wrongField(fields: Readonly<Record<string, unknown>>, types: Readonly<Record<string, Field<unknown>>>) {
  return Object.keys(types).find((key) =>
    types[key]?.check(Object.hasOwn(fields, key) ? fields[key] : undefined) === false
  );
}

/** `value` with its texts cut, and its lists, where they are more than there is room for. */
function bounded(value: unknown, room: { left: number }): unknown {
  if (typeof value === "string") {
    const text = cutText(value, room.left);
    room.left -= Math.min(value.length, room.left);
    return text;
  }
  if (typeof value !== "object" || value === null) return value;
  const kept: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (room.left <= 0) break;
    room.left -= Math.min(room.left, Array.isArray(value) ? ITEM : key.length + ITEM);
    kept.push([key, bounded(item, room)]);
  }
  return Array.isArray(value) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
}
