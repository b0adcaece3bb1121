/**
 * The events that a process may send to its father, and what their fields must be. What a process sends is not believed: the father
 * says whose event it is, and when it was.
 *
 * @module
 */

import { type FieldChecks, isBoolean, isNumber, isText, listOf, oneOf, orNull, wrongField } from "../field_checks.ts";
import type { EventFields, EventId, LogEvent } from "./record.ts";
import { BodyError } from "../wire/frame.ts";
import { RECEIPT_CHECKS } from "../wire/status.ts";
import { isRecord } from "../is_record.ts";
import { cutText } from "./escape.ts";
import { isEventId } from "./lines.ts";

/** Far more lines than brokkr takes of a stack. */
const MAX_STACK_LINES = 1_000;

const isStack = listOf(isText, MAX_STACK_LINES);
const isPid = isNumber;
const NONE = {};
const MODULE_TEXT = { text: isText };
const STRAY_ANSWER = { target: isText, command: orNull(isText), id: isText };

/** Characters of one event that are kept, as the broker keeps the last 500: brokkr's own have less. */
const MAX_EVENT = 256 * 1024;
const MAX_THREAD = 1_000;
/** What an item of a list takes beside its texts. */
const ITEM = 16;

/** Null: only the broker's own process tells of it. Events named `process.…` are of a process' workers. */
const REPORTED: { readonly [Id in EventId]: FieldChecks<EventFields[Id]> | null } = {
  "cleanup.start": NONE,
  "cleanup.done": { ms: isNumber },
  "cleanup.error": { owner: isText, message: isText, stack: isStack },
  "cleanup.receipt": RECEIPT_CHECKS,

  "call.retry": { command: isText, target: isText, timeoutMs: isNumber },
  "call.another-answer": { command: isText, target: isText },
  "call.timeout": {
    command: isText,
    target: isText,
    timeoutMs: isNumber,
    attempts: isNumber,
    sent: isBoolean,
    peer: oneOf("blocked", "slow"),
  },
  "call.error": { command: isText, target: isText, code: isText, message: isText, stack: isStack },
  "call.silence": {
    command: isText,
    target: isText,
    attempt: isNumber,
    peer: oneOf("blocked", "slow"),
    silentMs: isNumber,
  },
  "call.answered": { command: isText, target: isText, ms: isNumber, attempts: isNumber },
  "answer.late": STRAY_ANSWER,
  "answer.duplicate": STRAY_ANSWER,
  "answer.unknown": STRAY_ANSWER,
  "command.unknown": { command: isText },
  "command.error": { command: isText, message: isText, stack: isStack },
  "command.executing": { command: isText, params: isText },

  "process.starting": { process: isText, generation: isNumber },
  "process.ready": { process: isText, childPid: isPid, ms: isNumber },
  "process.output": {
    process: isText,
    childPid: isPid,
    stream: oneOf("stdout", "stderr"),
    text: isText,
    level: oneOf("debug", "info", "warning", "error"),
  },
  "process.dropped": { process: isText, what: isText, count: isNumber },
  "process.exited": {
    process: isText,
    childPid: orNull(isPid),
    exitCode: orNull(isNumber),
    signal: orNull(isText),
    reason: isText,
    expected: isBoolean,
  },
  "process.backoff": { process: isText, delayMs: isNumber, restarts: isNumber },
  "process.failed": { process: isText, reason: isText, remedy: isText },
  "process.stopping": { process: isText, childPid: orNull(isPid) },
  "process.stopped": { process: isText, ms: isNumber },
  "process.killed": { process: isText, childPid: orNull(isPid), signal: isText, reason: isText },
  "process.blocked": { process: isText, childPid: isPid, ms: isNumber },
  "process.unblocked": { process: isText, childPid: isPid, ms: isNumber },
  "process.memory": { process: isText, childPid: isPid, bytes: isNumber, limitBytes: isNumber },
  "process.replacing": { process: isText, childPid: isPid, reason: isText },
  "process.replaced": { process: isText, childPid: isPid, oldPid: isPid, ms: isNumber },
  "process.folder-gone": { process: isText, folder: isText, instead: isText },
  "process.kept": { process: isText, childPid: isPid, reason: isText },

  "module.debug": MODULE_TEXT,
  "module.info": MODULE_TEXT,
  "module.warning": MODULE_TEXT,
  "module.error": MODULE_TEXT,

  "process.orphan": null,
  "program.notification": null,
  "broker.ready": null,
  "broker.stopped": null,
  "broker.reloaded": null,
  "broker.not-reloaded": null,
  "broker.unguarded": null,
  "broker.no-init": null,
  "log.lost": null,
};

/** What the father knows of the process that sent events. */
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
 * The events that the process `origin` sent as `values`, as its father knows them: module and pid are those of the process or of its
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
  if (typeof time !== "number" || !isPid(pid) || !isText(module) || !isText(thread)) {
    throw new BodyError(`event ${event} has no time, pid, module or thread`);
  }
  const checks: FieldChecks<unknown> | null = REPORTED[event];
  if (checks === null) throw new BodyError(`event ${event} is none that a process reports`);
  const wrong = wrongField(fields, checks);
  if (wrong !== null) throw new BodyError(`event ${event} has a wrong field ${wrong}`);
  const { process } = fields;
  const isOfOther = event.startsWith("process.") && isText(process) && !origin.isWorker(process);
  // A process drops what its father sent, and of its own lines those that are too many.
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
    fields: Object.fromEntries(Object.keys(checks).map((key) => [key, bounded(fields[key], room)])),
  };
  // The table has checked the fields of this id, which TypeScript can't carry into the union over all ids.
  return reported as unknown as LogEvent;
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
