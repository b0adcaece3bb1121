/**
 * Every line that an operator reads. The lines of CLEAN AFTER FORK and COMMAND CALL are an interface, to the byte: other
 * programs match them, their English included.
 *
 * @module
 */

import { cleanupErrorTexts, receiptText } from "./cleanup_lines.ts";
import { formatDuration, formatTimeout } from "../duration.ts";
import { escapeName as name, escapeStackLine as stackLine, escapeText as text } from "./escape.ts";
import { line, type LineKind } from "./line_kind.ts";
import type { PrintedFields, PrintedOf } from "./printed.ts";
import type { EventId, LineStyle, LogLevel } from "./record.ts";
import { SUPERVISION_KINDS } from "./supervision_lines.ts";

export type LineTag =
  | "CLEAN AFTER FORK"
  | "COMMAND CALL"
  | "CLEANUP RECEIPT"
  | "ANSWER"
  | "HEARTBEAT"
  | "PROCESS"
  | "LOG"
  | "BROKER";

const KINDS: { readonly [Id in EventId]: LineKind<Id> } = {
  "cleanup.start": line("CLEAN AFTER FORK", "info", () => "cleanup is starting"),
  "cleanup.done": line("CLEAN AFTER FORK", "info", ({ ms }) => `cleanup done in ${formatDuration(ms)}`),
  "cleanup.error": { tag: "CLEAN AFTER FORK", level: "error", texts: cleanupErrorTexts },
  "cleanup.receipt": line("CLEANUP RECEIPT", "debug", receiptText),

  "call.retry": line(
    "COMMAND CALL",
    "warning",
    ({ command, target, timeoutMs }) =>
      `The command call [${name(command)}] for module ${name(target)} was sent but the call timed out ` +
      `(${formatTimeout(timeoutMs)}). We will retry one time.`,
  ),
  "call.another-answer": line(
    "COMMAND CALL",
    "warning",
    ({ command }) => `The command call [${name(command)}] was sent but another answer was received. Retrying.`,
  ),
  "call.timeout": line(
    "COMMAND CALL",
    "error",
    ({ command, target, timeoutMs }) =>
      `Failed to send command call [${name(command)}] for module ${name(target)} because of timeout ` +
      `(${formatTimeout(timeoutMs)}).`,
  ),
  "call.error": {
    tag: "COMMAND CALL",
    level: "error",
    texts: ({ command, target, message, stack }) => [
      ...stack.map(stackLine),
      `Failed to send command call [${name(command)}] for module ${name(target)} because of error: ${text(message)}`,
    ],
  },
  "call.answered": line(
    "COMMAND CALL",
    "debug",
    ({ command, target, ms }) =>
      `The command call [${name(command)}] was executed by the module ${name(target)} in ${formatDuration(ms)}`,
  ),
  "command.unknown": line(
    "COMMAND CALL",
    "warning",
    ({ command }) => `Received unknown command [${name(command)}] to execute !`,
  ),
  "command.error": {
    tag: "COMMAND CALL",
    level: "error",
    texts: ({ command, message, stack }) => [
      `Failed to execute received command [${name(command)}] with error: ${text(message)}`,
      ...stack.map(stackLine),
    ],
  },
  "command.executing": line(
    "COMMAND CALL",
    "debug",
    ({ command, params }) => `Executing command [${name(command)}] with param ${text(params)}`,
  ),

  "call.silence": line("HEARTBEAT", "debug", silenceText),
  "answer.late": line("ANSWER", "debug", (fields) => answerText("Late", fields)),
  "answer.duplicate": line("ANSWER", "debug", (fields) => answerText("Duplicate", fields)),
  "answer.unknown": line("ANSWER", "debug", (fields) => answerText("Unknown", fields)),

  "process.starting": line(
    "PROCESS",
    "info",
    ({ process, generation }) => `${name(process)} is starting (generation ${generation})`,
  ),
  "process.ready": line(
    "PROCESS",
    "info",
    ({ process, childPid, ms }) => `${name(process)} is ready after ${formatDuration(ms)} (pid ${childPid})`,
  ),
  "process.output": {
    ...line(
      "PROCESS",
      "error",
      (fields) => `${name(fields.process)} wrote to ${fields.stream} (pid ${fields.childPid}): ${text(fields.text)}`,
    ),
    levelWith: ({ level }) => level,
  },
  "program.notification": line(
    "PROCESS",
    "debug",
    ({ process, method }) => `${name(process)} sent notification [${name(method)}]`,
  ),
  "process.dropped": line(
    "PROCESS",
    "warning",
    ({ process, what, count }) => `${name(process)}: dropped ${count} ${text(what)}`,
  ),
  "process.exited": {
    ...line("PROCESS", "warning", exitText),
    levelWith: ({ expected }) => expected ? "info" : "warning",
  },
  "process.backoff": line(
    "PROCESS",
    "warning",
    ({ process, delayMs, restarts }) =>
      `${name(process)} will be started again in ${formatTimeout(delayMs)} (restarts so far: ${restarts})`,
  ),
  "process.failed": line(
    "PROCESS",
    "fatal",
    ({ process, reason, remedy }) =>
      `${name(process)} will not be started again: ${text(reason)}; what to do: ${text(remedy)}`,
  ),
  "process.orphan": line(
    "PROCESS",
    "warning",
    ({ process, childPid, ms }) =>
      `A process of ${name(process)} that an earlier broker left behind was killed (pid ${childPid}, age ${
        formatDuration(ms)
      })`,
  ),
  "process.stopping": line(
    "PROCESS",
    "info",
    ({ process, childPid }) => `${name(process)} is stopping (pid ${childPid ?? "none"})`,
  ),
  ...SUPERVISION_KINDS,
  "process.stopped": line("PROCESS", "info", ({ process, ms }) => `${name(process)} stopped in ${formatDuration(ms)}`),

  "module.debug": line("LOG", "debug", (fields) => text(fields.text)),
  "module.info": line("LOG", "info", (fields) => text(fields.text)),
  "module.warning": line("LOG", "warning", (fields) => text(fields.text)),
  "module.error": line("LOG", "error", (fields) => text(fields.text)),

  "broker.ready": line(
    "BROKER",
    "info",
    ({ modules, failed, ms }) =>
      `The broker is ready after ${formatDuration(ms)} (modules: ${modules}, failed: ${failed})`,
  ),
  "broker.stopped": line("BROKER", "info", ({ ms }) => `The broker stopped in ${formatDuration(ms)}`),
};

/** Every event that has lines. */
export const EVENT_IDS: readonly EventId[] = Object.keys(KINDS).filter(isEventId);

/** Whether `id`, which may come from another process, is an event that has lines. */
export function isEventId(id: string): id is EventId {
  return Object.hasOwn(KINDS, id);
}

/** The level of an event. */
export function levelOf<Id extends EventId>(event: Pick<PrintedOf<Id>, "event" | "fields">): LogLevel {
  const kind: LineKind<Id> = KINDS[event.event];
  return kind.levelWith?.(event.fields) ?? kind.level;
}

/** The most serious level that events of this id have, known before there is one. */
export function highestLevelOf(id: EventId): LogLevel {
  return KINDS[id].level;
}

/** The tag in the prefix of an event's lines. */
export function tagOf(id: EventId): LineTag {
  return KINDS[id].tag;
}

/** The texts of an event's lines, without the prefix: at least one. */
export function textsOf<Id extends EventId>(
  event: Pick<PrintedOf<Id>, "event" | "fields">,
  style: LineStyle,
): string[] {
  const kind: LineKind<Id> = KINDS[event.event];
  return kind.texts(event.fields, style);
}

function silenceText({ target, command, attempt, peer, silentMs }: PrintedFields["call.silence"]): string {
  const why = peer === "blocked" ? "gives no sign of life" : "lives, and works on the command";
  return `${name(target)} did not answer attempt ${attempt} of [${name(command)}] in time: ` +
    `it is ${peer} (${why}; last heard of ${formatDuration(silentMs)} ago)`;
}

function answerText(which: string, { target, command, id }: PrintedFields["answer.late"]): string {
  const of = command === null ? "" : `, command [${name(command)}]`;
  return `${which} answer from ${name(target)} was discarded (call ${name(id)}${of})`;
}

function exitText(fields: PrintedFields["process.exited"]): string {
  const { process, childPid, exitCode, signal, reason, expected } = fields;
  return `${name(process)} ended ${expected ? "as asked" : "unexpectedly"} (pid ${childPid ?? "none"}, ` +
    `exit code ${exitCode ?? "none"}, signal ${name(signal ?? "none")}): ${text(reason)}`;
}
