/**
 * Every event: its level and tag, the template that prints its line and reads it again, its fields, and what it means. The lines
 * of CLEAN AFTER FORK and COMMAND CALL are an interface, to the byte: other programs match them, their English included.
 *
 * A new event is an entry in {@link EventFields} and a row in {@link EVENTS}; "Add a log line" in CONTRIBUTING.md shows one.
 */

import { isAnything, isBoolean, isNumber, isText, listOf, oneOf } from "../checks.ts";
import { type CleanupReceipt, RECEIPT_CHECKS } from "../wire/status.ts";
import { cleanupErrorTexts, type PrintedReceipt, RECEIPT_TEMPLATES, receiptText } from "./cleanup_lines.ts";
import { escapeStackLine } from "./escape.ts";
import {
  count,
  countOrNone,
  duration,
  either,
  type Field,
  hidden,
  hiddenChoice,
  level,
  mebibytes,
  name,
  nameIfKnown,
  nameOrNone,
  phrase,
  pid,
  pidOrNone,
  process,
  target,
  text,
  timeout,
} from "./field_types.ts";
import type { LineStyle, LineTag, LogLevel } from "./prefix.ts";

/** Fields of each event, by its id. Plain JSON values: they cross processes. Times are milliseconds. */
export interface EventFields {
  /** INFO: a new process starts to release what belongs to the other modules. */
  "cleanup.start": Record<never, never>;
  /** INFO: the cleanup is over. */
  "cleanup.done": { readonly ms: number };
  /** ERROR: a cleanup failed. `owner`: the module whose data could not be cleaned. `stack`: the lines as printed. */
  "cleanup.error": { readonly owner: string; readonly message: string; readonly stack: readonly string[] };
  /** DEBUG: what the cleanup released, and what the process used before and after it. */
  "cleanup.receipt": CleanupReceipt;

  /** WARNING: the first attempt got no answer in time. `target`: the callee's name, a module or a worker such as `M-1`. */
  "call.retry": { readonly command: string; readonly target: string; readonly timeoutMs: number };
  /** WARNING: an answer arrived that no call waits for, so the oldest waiting call was sent again. */
  "call.another-answer": { readonly command: string; readonly target: string };
  /** ERROR: a call timed out for good. `sent`: whether it ever left the queue. */
  "call.timeout": {
    readonly command: string;
    readonly target: string;
    readonly timeoutMs: number;
    readonly attempts: number;
    readonly sent: boolean;
    readonly peer: "blocked" | "slow";
  };
  /** ERROR: a call failed for another reason. `stack`: the remote error's, as printed; empty if nothing was thrown. */
  "call.error": {
    readonly command: string;
    readonly target: string;
    readonly code: string;
    readonly message: string;
    readonly stack: readonly string[];
  };
  /** DEBUG: why an attempt got no answer in time. `silentMs`: since the callee's last message; brokkr pings it halfway through the attempt. */
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
  /** DEBUG: the answer to a call that had timed out. `command` is null if it is no longer known. */
  "answer.late": { readonly target: string; readonly command: string | null; readonly id: string };
  /** DEBUG: a second answer to a call that was already answered. */
  "answer.duplicate": { readonly target: string; readonly command: string | null; readonly id: string };
  /** DEBUG: an answer to a call that was never made. */
  "answer.unknown": { readonly target: string; readonly command: string | null; readonly id: string };
  /** WARNING: a call named a command that the process does not have. */
  "command.unknown": { readonly command: string };
  /** ERROR: a command threw, as its own process reports it. */
  "command.error": { readonly command: string; readonly message: string; readonly stack: readonly string[] };
  /** DEBUG: a command starts. `params`: JSON text, truncated at 1,000 characters. */
  "command.executing": { readonly command: string; readonly params: string };

  /** INFO: a process is being created. `process`, here and below: the module or worker. `generation`: 1 for its first process. */
  "process.starting": { readonly process: string; readonly generation: number };
  /** INFO: a process serves commands, `ms` after it was created. */
  "process.ready": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** A line that a process wrote to its standard output or standard error. `level`: guessed from its form, otherwise INFO. */
  "process.output": {
    readonly process: string;
    readonly childPid: number;
    readonly stream: "stdout" | "stderr";
    readonly text: string;
    readonly level: Exclude<LogLevel, "fatal">;
  };
  /** DEBUG: a program in another language sent a notification. `params`: as sent, or null. */
  "program.notification": { readonly process: string; readonly method: string; readonly params: unknown };
  /** WARNING: brokkr dropped something that a process sent: it could not be read, or was more output than the limit. */
  "process.dropped": { readonly process: string; readonly what: string; readonly count: number };
  /** A process ended: INFO if it was asked to (`expected`), else WARNING. */
  "process.exited": {
    readonly process: string;
    readonly childPid: number | null;
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly reason: string;
    readonly expected: boolean;
  };
  /** WARNING: the inspector of a process is open at `address`, for `ms` or until it is closed. */
  "process.inspected": {
    readonly process: string;
    readonly childPid: number;
    readonly address: string;
    readonly ms: number;
  };
  /** INFO: a job of protocol "none" ended with exit code 0, so it is not restarted. `ms`: how long it ran. */
  "process.finished": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** WARNING: a process will be restarted after a delay. */
  "process.backoff": { readonly process: string; readonly delayMs: number; readonly restarts: number };
  /** FATAL: a process will not be restarted. */
  "process.failed": { readonly process: string; readonly reason: string; readonly remedy: string };
  /** WARNING: a process that an earlier, killed broker of this name left behind was killed. `process`: its module. `ms`: its age. */
  "process.orphan": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** WARNING: brokkr sent a process a signal, because a deadline passed or it broke its channel. */
  "process.killed": {
    readonly process: string;
    readonly childPid: number | null;
    readonly signal: string;
    readonly reason: string;
  };
  /** WARNING: a process has sent no heartbeat for `ms`. */
  "process.blocked": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** INFO: a blocked process sends heartbeats again, `ms` after the last one. */
  "process.unblocked": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** WARNING: a process holds more memory than `memory.warnBytes`; once, until it holds less. */
  "process.memory": {
    readonly process: string;
    readonly childPid: number;
    readonly bytes: number;
    readonly limitBytes: number;
  };
  /** INFO: a process is being replaced: a new one starts, and takes over when it is ready. */
  "process.replacing": { readonly process: string; readonly childPid: number; readonly reason: string };
  /** INFO: the process `childPid` has taken over from `oldPid`, `ms` after the replacement started. */
  "process.replaced": {
    readonly process: string;
    readonly childPid: number;
    readonly oldPid: number;
    readonly ms: number;
  };
  /** ERROR: the new process did not become ready, so the old one continues. */
  "process.kept": { readonly process: string; readonly childPid: number; readonly reason: string };
  /** WARNING: the folder in which new processes start is gone, so they start in another one; once. */
  "process.folder-gone": { readonly process: string; readonly folder: string; readonly instead: string };
  /** INFO: a changed configuration is in force; how many modules were replaced, kept as they were, added and removed. */
  "broker.reloaded": {
    readonly replaced: number;
    readonly kept: number;
    readonly added: number;
    readonly removed: number;
    readonly ms: number;
  };
  /** ERROR: a changed configuration could not be read, so the old one stays. */
  "broker.not-reloaded": { readonly reason: string };
  /** INFO: files of a module changed under `brokkr run --watch`, so it is reloaded. `files`: the first one, and how many more. */
  "broker.files-changed": { readonly process: string; readonly files: string };
  /** WARNING: the broker is process 1 of its container, so nobody reaps processes that lose their parent. */
  "broker.no-init": { readonly remedy: string };
  /** WARNING: the guard has ended and could not be started; the next try is in `delayMs`. */
  "broker.unguarded": { readonly reason: string; readonly delayMs: number };
  /** WARNING: the control socket was removed, and the broker listens there again. */
  "broker.socket-restored": { readonly path: string };
  /** WARNING: a standby process has ended, or could not be used; the next one starts `delayMs` later. */
  "standby.lost": { readonly childPid: number | null; readonly reason: string; readonly delayMs: number };
  /** WARNING: the log file, or `standard error`, can be written again, but `lines` lines are missing from it. */
  "log.lost": { readonly file: string; readonly lines: number; readonly reason: string };
  /** INFO: a process was asked to finish its calls and end. */
  "process.stopping": { readonly process: string; readonly childPid: number | null };
  /** INFO: a process has ended as requested. */
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

  /** INFO: the broker has joined its cluster. `members`: how many other brokers there are. */
  "cluster.joined": {
    readonly cluster: string;
    readonly node: string;
    readonly server: string;
    readonly members: number;
  };
  /** WARNING: no server of the cluster can be reached yet; once for each reason. */
  "cluster.unreachable": { readonly cluster: string; readonly reason: string };
  /** WARNING: the connection to the server is lost. */
  "cluster.disconnected": { readonly server: string; readonly reason: string };
  /** INFO: the broker is connected again, `ms` after it lost the connection. */
  "cluster.reconnected": { readonly server: string; readonly ms: number };
  /** ERROR: another broker has this name on this node, so this one is not a member. */
  "cluster.taken": { readonly broker: string; readonly node: string; readonly otherPid: number };
  /** ERROR: the server does not permit this broker to use a subject. */
  "cluster.denied": { readonly action: "publish" | "subscribe"; readonly subject: string };
  /** ERROR: the server takes no message of that size. Sizes in bytes. */
  "cluster.too-large": { readonly bytes: number; readonly limit: number };
  /** INFO: another broker has joined. `member`, here and below: `BROKER@NODE`. `modules`: the modules it exports, joined by commas, or `nothing`. */
  "cluster.member-joined": { readonly member: string; readonly modules: string };
  /** WARNING: a member does not answer; new calls go to others, or wait. */
  "cluster.member-suspect": { readonly member: string; readonly reason: string };
  /** INFO: the member answers again, `ms` after it became suspect. */
  "cluster.member-back": { readonly member: string; readonly ms: number };
  /** INFO: a member stops: it finishes its calls, and gets no new ones. */
  "cluster.member-leaving": { readonly member: string };
  /** WARNING: a member is gone. `calls`: how many of its calls were rejected. */
  "cluster.member-gone": { readonly member: string; readonly calls: number };
  /** WARNING: a member speaks another protocol version, so no calls are possible. */
  "cluster.incompatible": { readonly member: string; readonly theirs: string; readonly ours: string };
  /** WARNING: a member, or the server, refuses calls. `target`: the module. */
  "cluster.refused": { readonly member: string; readonly target: string; readonly reason: string };
  /** WARNING: brokkr dropped messages that it could not read. */
  "cluster.dropped": { readonly what: string; readonly count: number };
}

/** Stable id of an event. More may join; none changes. */
export type EventId = keyof EventFields;

/**
 * What an event's lines show of its fields: enough to print them, and all that a reader of lines can know. Every `EventFields[Id]`
 * is a `PrintedFields[Id]`.
 */
export interface PrintedFields extends Omit<EventFields, keyof PartlyPrinted>, PartlyPrinted {}

interface PartlyPrinted {
  "cleanup.receipt": PrintedReceipt;
  "call.another-answer": Pick<EventFields["call.another-answer"], "command">;
  "call.timeout": Pick<EventFields["call.timeout"], "command" | "target" | "timeoutMs">;
  "call.error": Omit<EventFields["call.error"], "code">;
  "program.notification": Omit<EventFields["program.notification"], "params">;
  "call.answered": Omit<EventFields["call.answered"], "attempts">;
}

/** A record that the `log` function and listeners of a program receive. */
export interface LogRecord<Id extends EventId = EventId> {
  /** Level. */
  readonly level: LogLevel;
  /** Id of the event. */
  readonly event: Id;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Id of the process in which the event happened. */
  readonly pid: number;
  /** The module or worker in the line's prefix. */
  readonly module: string;
  /** The thread in the line's prefix, if it has one. */
  readonly thread: string;
  /** The facts of the event, typed by `EventFields`. */
  readonly fields: EventFields[Id];
  /** The record as log lines, without line breaks. */
  lines(): string[];
}

/** One event, discriminated by its `event`. */
export type LogEvent<Id extends EventId = EventId> = { [I in Id]: Omit<LogRecord<I>, "level" | "lines"> }[Id];

/** An event as it can be printed: an event of this process, or one that was read from a log. */
export interface PrintedOf<Id extends EventId> extends Pick<LogRecord<Id>, "event" | "time" | "module"> {
  /** Where null, the line has no such bracket. */
  readonly pid: number | null;
  /** Where null, the line has no such bracket. */
  readonly thread: string | null;
  readonly fields: PrintedFields[Id];
}

/** {@link PrintedOf}, discriminated by its `event`. */
export type PrintedEvent = { [Id in EventId]: PrintedOf<Id> }[EventId];

/** What an operator needs to know of an event: `brokkr explain` and docs/log-lines.md show it. */
export interface Explanation {
  /** What happened, in one or two sentences. */
  readonly what: string;
  /** Why it happens. */
  readonly why: string;
  /** What to look at, the likeliest first; empty where there is nothing to do. */
  readonly check: readonly string[];
  /** What brokkr did about it. */
  readonly did: string;
}

export interface EventRow<Id extends EventId> extends Explanation {
  readonly tag: LineTag;
  /** Of an event whose level depends on its fields, the most serious one. */
  readonly level: LogLevel;
  readonly levelWith?: (fields: PrintedFields[Id]) => LogLevel;
  /** Prints the line, behind the prefix, and reads it; left out where {@link written} does. */
  readonly template?: string;
  /** The same where {@link nameIfKnown} is not known. */
  readonly templateOfUnknown?: string;
  /** All lines, where the line of the template is not the only one. */
  readonly lines?: (line: string, fields: PrintedFields[Id]) => string[];
  /** How docs/log-lines.md shows them. */
  readonly linesShown?: (line: string) => string;
  /** What stands for fields that the line does not show and other lines do. */
  readonly unread?: Partial<PrintedFields[Id]>;
  /** Prints and reads what no template can. `shown` stands for the template in docs/log-lines.md. */
  readonly written?: {
    readonly texts: (fields: PrintedFields[Id], style: LineStyle) => string[];
    /** Templates, each with what makes the fields of its values; empty where other lines are needed too. */
    readonly read: readonly (readonly [template: string, fields: (values: readonly string[]) => PrintedFields[Id]])[];
    readonly shown: string;
  };
  /** Only a line of this level is read as this event: its text may be any. */
  readonly isAtLevel?: true;
  /** Only the broker's own process reports it. What another one reports is checked by the fields' types. */
  readonly isOfBroker?: true;
  readonly fields: { readonly [Key in keyof EventFields[Id]]-?: Field<EventFields[Id][Key]> };
  /** Where docs/log-lines.md sends the reader on, as a link. */
  readonly guide?: string;
}

/** Far more lines than brokkr takes of a stack. */
const MAX_STACK_LINES = 1_000;

/** The lines of a stack as they are printed, see `stack.ts`. */
const stack = hidden(listOf(isText, MAX_STACK_LINES));

const silentPeer = {
  ...phrase({ slow: "slow (lives, and works on the command", blocked: "blocked (gives no sign of life" }),
  shown: "PEER (WHY",
};

/** The rows of answers that no call waits for. */
const STRAY_ANSWER = {
  level: "debug",
  fields: { target, command: nameIfKnown, id: name },
} as const;

/** The rows of what modules log. */
const BY_MODULE = {
  template: "{text}",
  fields: { text },
  isAtLevel: true,
  why: "It is the module's own text, logged with ctx.log.",
} as const;

/** By id. A line is read by the first row of its tag that fits: the most frequent ones, and those of any text, come first. */
export const EVENTS: { readonly [Id in EventId]: EventRow<Id> } = {
  ...tagged({ tag: "CLEAN AFTER FORK" }, {
    "cleanup.start": {
      level: "info",
      template: "cleanup is starting",
      fields: {},
      what: "A new process starts to release what belongs to the other modules.",
      why:
        "It loaded the same program as its parent process, so it holds the caches, connections and timers of every module.",
      did: "Runs the cleanup of each of the other modules before the process takes its first call. Earlier calls wait.",
    },
    "cleanup.done": {
      level: "info",
      template: "cleanup done in {ms}",
      fields: { ms: duration },
      what: "The cleanup of a new process is over, with or without errors.",
      why: "Each cleanup.start has one, unless the process ends in between.",
      check: [
        'If the time grows from start to start: the "afterForkCleanup" hooks of the modules, which run one after the other.',
      ],
      did: "Starts the module in the process, which then takes calls.",
    },
    "cleanup.error": {
      level: "error",
      fields: { owner: hidden(isText), message: hidden(isText), stack },
      written: { texts: cleanupErrorTexts, read: [], shown: "[a block of lines](#the-cleanup-block)" },
      what:
        "The cleanup of one module's data failed in a new process of another module. All lines of the block are one event.",
      why: "The module's hook threw, something in its owns could not be disposed of, or it took longer than 5 seconds.",
      check: [
        "The stack: its last frame is the place in the module's own code.",
        "The module named behind the pid: fix its cleanup, not the process that ran it.",
        "The memory of the process: what was not released stays until the process ends.",
      ],
      did: "Went on with the cleanup of the other modules; the process serves its commands. Nothing is retried.",
    },
  }),
  ...tagged({ tag: "CLEANUP RECEIPT" }, {
    "cleanup.receipt": {
      level: "debug",
      fields: {
        ms: hidden(RECEIPT_CHECKS.ms),
        released: hidden(RECEIPT_CHECKS.released),
        errors: hidden(RECEIPT_CHECKS.errors),
        modules: hidden(RECEIPT_CHECKS.modules),
        leftovers: hidden(RECEIPT_CHECKS.leftovers),
        before: hidden(RECEIPT_CHECKS.before),
        after: hidden(RECEIPT_CHECKS.after),
      },
      written: {
        texts: (fields) => [receiptText(fields)],
        read: RECEIPT_TEMPLATES,
        shown:
          "`Released N modules [OWNER, …] in SECONDS, errors N, PSS SIZE to SIZE, private memory SIZE to SIZE, heap SIZE to SIZE, open files N to N`",
      },
      guide: "[the receipt](#the-receipt)",
      what: "What a cleanup released, with memory and open files of the process before and after it.",
      why: "Written once, after each cleanup, at DEBUG.",
      check: [
        "Private memory that stays as high as before: something still refers to the data, such as a timer or a listener.",
        "Open files that stay: connections that no hook closes.",
      ],
      did: 'Keeps the figures: "brokkr status --json" shows them.',
    },
  }),
  ...tagged({ tag: "COMMAND CALL" }, {
    "call.answered": {
      level: "debug",
      template: "The command call [{command}] was executed by the module {target} in {ms}",
      fields: { command: name, target, ms: duration, attempts: hidden(isNumber) },
      what: "A command call was answered.",
      why:
        "Each answered call has this line, at DEBUG. The time is the caller's: from the call to the answer, retries included.",
      check: ['If the time is long: "brokkr logs FILE" shows p50, p90, p99 and the longest of each command.'],
      did: "Gave the result to the caller.",
    },
    "command.executing": {
      level: "debug",
      template: "Executing command [{command}] with param {params}",
      fields: { command: name, params: text },
      what: "A command starts to run.",
      why: "Each command that starts has this line, at DEBUG. Parameters are cut at 1,000 characters.",
      check: ["If a call timed out: whether its command has this line. Without it, the command never started."],
      did: "Ran the command.",
    },
    "call.retry": {
      level: "warning",
      template:
        "The command call [{command}] for module {target} was sent but the call timed out ({timeoutMs}). We will retry one time.",
      fields: { command: name, target, timeoutMs: timeout },
      what: "A command call got no answer within its timeout, and is sent once more.",
      why:
        "The command is slow, the module has too many calls at once, or its process handles no events at the moment.",
      check: [
        "A call.timeout of the same command after it: without one, the second attempt was answered.",
        "The latency of the command: if p99 is near the timeout, raise the timeout or make the command faster.",
        "What else the module did at that time: one long computation delays all its calls.",
      ],
      did:
        "Sent the call again, with the same id. If the first attempt still runs, the second joins it: nothing runs twice.",
    },
    "call.another-answer": {
      level: "warning",
      template: "The command call [{command}] was sent but another answer was received. Retrying.",
      fields: { command: name, target: hidden(isText) },
      what: "While a call waited, an answer arrived that belongs to no waiting call.",
      why: "Nearly always it is the late answer to a call that timed out or that its caller cancelled.",
      check: [
        "The call.timeout lines of the same module before it: they are the cause.",
        "If there are none: a peer that is not brokkr may mix up ids.",
      ],
      did: "Discarded the answer, so that no call got a wrong one, and sent the waiting call's frame again, once.",
    },
    "call.timeout": {
      level: "error",
      template: "Failed to send command call [{command}] for module {target} because of timeout ({timeoutMs}).",
      fields: {
        command: name,
        target,
        timeoutMs: timeout,
        attempts: hidden(isNumber),
        sent: hidden(isBoolean),
        peer: hiddenChoice("blocked", "slow"),
      },
      what:
        "A command call failed: no answer arrived in time, not even to the retry. The caller got a CallTimeoutError.",
      why:
        "The command takes longer than the timeout, or the process of the module is blocked, stopped or short of processor time. A call that never left the queue has this line without a call.retry.",
      check: [
        'The field "peer" of the record or of the error: "slow" means a slow command, "blocked" a process that handles no events.',
        "command.executing of the same command: did it start at all?",
        "Several modules at the same time: the machine is busy, or short of memory.",
        "The call's timeout: timeoutMs of the call, of the module or of the broker.",
      ],
      did: "Rejected the call. It discards a later answer, which never reaches another call.",
    },
    "call.error": {
      level: "error",
      template: "Failed to send command call [{command}] for module {target} because of error: {message}",
      fields: { command: name, target, code: hidden(isText), message: text, stack },
      lines: (line, { stack }) => [...stack.map(escapeStackLine), line],
      linesShown: (line) => `each \`STACK LINE\`, then ${line}`,
      unread: { stack: [] },
      guide: "[messages](#messages)",
      what: "A command call failed at once, not by timeout. The stack before it, if there is one, is the callee's.",
      why:
        "The message says why: what the command threw, an unknown command, a process that ended, a full queue, a payload that can't be sent, or a caller that cancelled.",
      check: [
        "The stack, from its last line upwards; the callee's command.error has the same.",
        '"process exited with code ..." or "process was killed by ...": the process.exited before it.',
        '"queue is full (...)": calls arrive faster than the module handles them; raise "concurrency", or make fewer calls.',
        '"payload of ... bytes is over the limit": send less, or in parts.',
      ],
      did: "Rejected the call at once. It does not retry a command that threw, because it did run.",
    },
    "command.error": {
      level: "error",
      template: "Failed to execute received command [{command}] with error: {message}",
      fields: { command: name, message: text, stack },
      lines: (line, { stack }) => [line, ...stack.map(escapeStackLine)],
      linesShown: (line) => `${line}, then each \`STACK LINE\``,
      unread: { stack: [] },
      what: "A command threw an error in its own process. The lines after it are its stack.",
      why: "The code of the command failed, or its result could not be sent to the caller.",
      check: [
        "The stack: outermost frame first, the last line is the error and the frame above it the place.",
        'Whether the stack is always the same: "brokkr logs FILE" groups them.',
        "command.executing before it, at DEBUG: it has the parameters.",
      ],
      did: "Sent the error and its stack to the caller, which logs a call.error. The process continues to take calls.",
    },
    "command.unknown": {
      level: "warning",
      template: "Received unknown command [{command}] to execute !",
      fields: { command: name },
      what: "A call named a command that the process does not have.",
      why: "The caller misspells it, or the caller and the module have different versions.",
      check: [
        "The name in the caller's code: its error names the most similar command that exists.",
        "After an update: whether all processes were restarted.",
      ],
      did: "Rejected the call at once, with UnknownCommandError. Nothing ran.",
    },
  }),
  ...tagged({ tag: "HEARTBEAT" }, {
    "call.silence": {
      level: "debug",
      template:
        "{target} did not answer attempt {attempt} of [{command}] in time: it is {peer}; last heard of {silentMs} ago)",
      fields: { command: name, target, attempt: count, peer: silentPeer, silentMs: duration },
      what: "Why an attempt of a call got no answer in time: its process is slow or blocked.",
      why:
        "Halfway through an attempt, brokkr pings the process. If it replies, it is working on the command (slow); if not, it handles no events (blocked).",
      check: [
        "slow: what the command waits for, and whether its timeout is long enough. this.progress() in the command gives it more time.",
        "blocked: a loop without await, a long synchronous call, or a stopped process (state T in ps).",
      ],
      did: "Nothing beyond the retry or the timeout in the line beside this one.",
    },
  }),
  ...tagged({ tag: "ANSWER" }, {
    "answer.late": {
      ...STRAY_ANSWER,
      template: "Late answer from {target} was discarded (call {id}, command [{command}])",
      templateOfUnknown: "Late answer from {target} was discarded (call {id})",
      what: "An answer arrived for a call that had already failed, while no other call waited.",
      why: "The command finished after the last timeout of its call, or after the caller had cancelled it.",
      check: ["The call.timeout before it: the time between the two is what the timeout lacks."],
      did: "Discarded and counted it.",
    },
    "answer.duplicate": {
      ...STRAY_ANSWER,
      template: "Duplicate answer from {target} was discarded (call {id}, command [{command}])",
      templateOfUnknown: "Duplicate answer from {target} was discarded (call {id})",
      what: "A second answer arrived for a call that was already answered.",
      why: "Both attempts of a call were answered: the first answer was on its way when the second attempt left.",
      check: ["Nothing, unless it is frequent: then the timeout is close to the command's duration."],
      did: "Discarded and counted it. The caller has the first answer.",
    },
    "answer.unknown": {
      ...STRAY_ANSWER,
      template: "Unknown answer from {target} was discarded (call {id}, command [{command}])",
      templateOfUnknown: "Unknown answer from {target} was discarded (call {id})",
      what: "An answer arrived for a call that was never made, while no call waited.",
      why: "A peer that is not brokkr mixes up ids. It does not happen between two processes of brokkr.",
      check: ["A peer that is not brokkr: whether it sends back the id exactly as it received it."],
      did: "Discarded and counted it.",
    },
  }),
  ...tagged({ tag: "PROCESS" }, {
    "process.output": {
      level: "error",
      template: "{process} wrote to {stream} (pid {childPid}): {text}",
      fields: {
        process,
        childPid: pid,
        stream: phrase({ stdout: "stdout", stderr: "stderr" }),
        text,
        level: level(oneOf("debug", "info", "warning", "error")),
      },
      levelWith: (fields) => fields.level,
      guide: "[what modules print](#what-modules-print)",
      what: "A process printed a line to its standard output or standard error.",
      why:
        "brokkr logs what modules print, line by line and under their name, so that it can't pass for a line of another module.",
      check: ["Before a process.exited: the last lines often say why it ended."],
      did: "Logged it. It has no effect on calls.",
    },
    "process.starting": {
      level: "info",
      template: "{process} is starting (generation {generation})",
      fields: { process, generation: count },
      what: "A process of a module or worker is about to be created.",
      why: "The broker starts, or a process ended and is restarted. Generation 1 is the first.",
      check: ["A generation above 1: why the previous process ended, see its process.exited."],
      did: "Creates the process and waits for its first message.",
    },
    "process.ready": {
      level: "info",
      template: "{process} is ready after {ms} (pid {childPid})",
      fields: { process, childPid: pid, ms: duration },
      what: "A process has finished its cleanup and its start, and takes calls.",
      why: "Each process that starts successfully has this line. The time runs from its creation.",
      check: ['If it is slow: what its files do at import, and its "start" hook.'],
      did: "Sent it the calls that waited for it.",
    },
    "program.notification": {
      level: "debug",
      template: "{process} sent notification [{method}]",
      fields: { process, method: name, params: hidden(isAnything) },
      isOfBroker: true,
      guide: "[programs](./programs.md)",
      what: "A program in another language sent a notification: a message that is not an answer.",
      why: "Its protocol has notifications, for progress, logs or changes of what it offers.",
      check: [`The event's params, with broker.on("program.notification", …): the line has the method only.`],
      did: "Passed it to the listeners of the event, and to the handler in defineProgram if there is one.",
    },
    "process.dropped": {
      level: "warning",
      template: "{process}: dropped {count} {what}",
      fields: { process, what: text, count },
      guide: "[what is dropped](#what-is-dropped)",
      what: "brokkr dropped something that a process sent.",
      why: "The rest of the line says what: a frame that could not be read or sent, or too many lines.",
      check: [
        "Lines of stdout, stderr or ctx.log: a module that prints or logs too much, too fast.",
        `A frame: a peer that is not brokkr's, see "Broken input" in docs/wire-protocol.md. Between two processes of brokkr it is a defect: report it, with the line.`,
      ],
      did: "Dropped and counted it. After three unreadable frames in a row it closes the channel.",
    },
    "process.killed": {
      level: "warning",
      template: "{process} was sent {signal} (pid {childPid}): {reason}",
      fields: { process, childPid: pidOrNone, signal: name, reason: text },
      guide: "[supervision](./supervision.md)",
      what: "brokkr sent a process a signal, because it missed a deadline or broke its channel.",
      why: "The end of the line says which deadline passed: the start, the drain, or the time after SIGTERM.",
      check: [
        `A drain that takes longer than the module's "drainMs": its running calls, and its "stop" hook.`,
        'A start that takes longer than "startTimeoutMs": what the program does before Broker.start.',
        "SIGKILL after SIGTERM: the process ignored SIGTERM or was busy.",
      ],
      did: "Sent the signal to the process and to everything it started. A process.exited follows.",
    },
    "process.blocked": {
      level: "warning",
      template: "{process} is blocked: no sign of life for {ms} (pid {childPid})",
      fields: { process, childPid: pid, ms: duration },
      guide: "[a module hangs](./supervision.md#a-module-hangs)",
      what: "A process sends no heartbeat: it answers nothing, not even brokkr's ping.",
      why: "Its event loop is busy (a long computation, an endless loop), or it was stopped (SIGSTOP, a debugger).",
      check: [
        "Which command it started last: command.executing of that process, at DEBUG.",
        "Whether it uses the processor (top -p PID): a loop does, a stopped process does not.",
        'Put long computations into a worker, or raise "heartbeat.timeoutMs".',
      ],
      did:
        'Logged it, and keeps pinging. With "heartbeat.onBlocked" set to "restart" it kills the process, and its restart policy decides.',
    },
    "process.unblocked": {
      level: "info",
      template: "{process} gives signs of life again after {ms} (pid {childPid})",
      fields: { process, childPid: pid, ms: duration },
      what: "A process that was blocked answers again.",
      why: "What kept it busy is over, or it was continued (SIGCONT). The time runs from its last heartbeat.",
      check: ["The process.blocked before it."],
      did: "Continues as before. Calls that timed out in the meantime have failed.",
    },
    "process.memory": {
      level: "warning",
      template: "{process} holds {bytes}, more than {limitBytes} (pid {childPid})",
      fields: { process, childPid: pid, bytes: mebibytes, limitBytes: mebibytes },
      guide: "[memory grows](./supervision.md#memory-grows)",
      what: 'A process holds more memory of its own than its "memory.warnBytes".',
      why: "It needs that much, or something in it grows: a cache without a limit, listeners, timers.",
      check: [
        'Whether it keeps growing: "brokkr status", before and after some calls.',
        `A leak that you can't fix at once: "memory.recycleBytes" gives the module a new process in time.`,
      ],
      did: "Logged it once, and logs it again only after the process has held less in between.",
    },
    "process.replacing": {
      level: "info",
      template: "{process} is being replaced (pid {childPid}): {reason}",
      fields: { process, childPid: pid, reason: text },
      what: "A process is being replaced: a new one starts beside it and takes over when it is ready.",
      why: 'The end of the line says why: a reload, a changed configuration, or memory over "memory.recycleBytes".',
      did: "Starts the new process. Calls go to the old one until the new one is ready.",
    },
    "process.replaced": {
      level: "info",
      template: "{process} was replaced in {ms} (pid {childPid} after pid {oldPid})",
      fields: { process, childPid: pid, oldPid: pid, ms: duration },
      what: "A new process has taken over from an old one.",
      why: "It follows process.replacing. The time runs from there.",
      did: "Sends waiting calls to the new process. The old one finishes its running calls and ends.",
    },
    "process.folder-gone": {
      level: "warning",
      template: "{process} starts in {instead}: the working directory {folder} is gone",
      fields: { process, folder: text, instead: text },
      what: "The folder that the broker was started in was removed, and new processes start in another one.",
      why:
        "New processes start where the broker was started. Usually a deployment removed the release that it was started from.",
      check: [
        "Which release runs: restart the broker from the one that should run.",
        "Start it in a folder that stays, or set cwd for each module.",
      ],
      did: "Starts every new process in the configuration's folder, else in the program's, else in /. Logs it once.",
    },
    "process.kept": {
      level: "error",
      template: "{process} could not be replaced and goes on (pid {childPid}): {reason}",
      fields: { process, childPid: pid, reason: text },
      what: "A process could not be replaced, because the new one did not become ready.",
      why: "The end of the line says why: usually an error in the new code or the new settings.",
      check: ['The process.output lines of the new process. Once the cause is fixed: "brokkr reload NAME".'],
      did: "Kept the old process, which serves calls as before.",
    },
    "process.exited": {
      level: "warning",
      template: "{process} ended {expected} (pid {childPid}, exit code {exitCode}, signal {signal}): {reason}",
      fields: {
        process,
        childPid: pidOrNone,
        exitCode: countOrNone,
        signal: nameOrNone,
        reason: text,
        expected: either("as asked", "unexpectedly"),
      },
      levelWith: ({ expected }) => expected ? "info" : "warning",
      what: 'A process ended: "as asked" after process.stopping, else "unexpectedly".',
      why: "The end of the line has the reason: its exit code, or the signal that killed it.",
      check: [
        "The process.output lines before it: an uncaught error prints its stack.",
        "A SIGKILL that nobody sent: the system was out of memory; see the kernel's log (dmesg).",
        "Exit code 0, unexpectedly: something in the module calls exit, or nothing keeps it alive.",
        "Calls that failed with it: call.error of the same second.",
      ],
      did:
        "Rejected its running calls at once, and killed the processes that it left behind. Its restart policy decides what follows.",
    },
    "process.inspected": {
      level: "warning",
      template:
        "{process} can be inspected at {address} for {ms} (pid {childPid}): every user of this machine can run code in it",
      fields: { process, childPid: pid, address: name, ms: duration },
      what: "Someone opened the inspector of a process with brokkr inspect.",
      why: "A debugger that connects there can do what the process can. Only programs of this machine reach it.",
      check: [
        'Close it when you are done: "brokkr inspect MODULE --off".',
        "If you did not open it: only the broker's user and root can use the control socket.",
      ],
      did: "Opened it on 127.0.0.1 at a free port. It closes after that time, and when the process ends.",
    },
    "process.finished": {
      level: "info",
      template: "{process} finished after {ms} (pid {childPid})",
      fields: { process, childPid: pid, ms: duration },
      what: 'A job, which is a program with protocol "none", ended with exit code 0.',
      why: 'Its work is done, and its restart policy is not "always".',
      check: ['A daemon, which should not end by itself: set "restart" to "always".'],
      did: "Leaves it stopped until someone restarts it.",
    },
    "process.backoff": {
      level: "warning",
      template: "{process} will be started again in {delayMs} (restarts so far: {restarts})",
      fields: { process, delayMs: timeout, restarts: count },
      what: "A process that ended will be restarted after a delay.",
      why: 'Its restart policy is "always", or "on-failure" and it failed.',
      check: [
        "The process.exited before it.",
        "The number of restarts: if it keeps rising, the process is in a loop that ends in process.failed.",
      ],
      did: "Waits, then creates the process again, with cleanup and start as the first time.",
    },
    "process.failed": {
      level: "fatal",
      template: "{process} will not be started again: {reason}; what to do: {remedy}",
      fields: { process, reason: text, remedy: text },
      what: "A process will not be restarted. Its module is out of service until someone acts.",
      why:
        'It failed too often in too short a time, by default six times in a minute, or its restart policy is "never".',
      check: [
        "The reason in the line, and the process.exited and process.output lines before it.",
        'Once the cause is fixed: "brokkr restart NAME".',
      ],
      did:
        "Gave up on this process, so that it does not restart forever. It rejects calls to it at once. The other modules continue.",
    },
    "process.orphan": {
      level: "warning",
      template: "A process of {process} that an earlier broker left behind was killed (pid {childPid}, age {ms})",
      fields: { process, childPid: pid, ms: duration },
      isOfBroker: true,
      guide: "[reliability](./reliability.md#nothing-is-left)",
      what: "A process that an earlier broker of this name had left behind was killed.",
      why: "That broker was killed together with its guard, the small shell that would have ended its processes.",
      check: [
        "What killed the earlier broker: a lack of memory (see the system's log), or a signal to all of its processes.",
        "Files, ports or locks of the module in the line, if a second copy of it must not share them.",
      ],
      did:
        "Found the process by the mark of that broker in its environment and by its start time, and sent it SIGKILL.",
    },
    "process.stopping": {
      level: "info",
      template: "{process} is stopping (pid {childPid})",
      fields: { process, childPid: pidOrNone },
      what: "A process was asked to finish its work and end.",
      why: "The broker stops, or someone requested a stop, a restart or a reload.",
      did: "Sends it no new calls, lets the running ones finish, and then ends it.",
    },
    "process.stopped": {
      level: "info",
      template: "{process} stopped in {ms}",
      fields: { process, ms: duration },
      what: "A process has ended as requested.",
      why: "It follows process.stopping. The time runs from there.",
      check: [`If it takes long: the module's running calls, and its "stop" hook.`],
      did: "Nothing is left of it.",
    },
  }),
  ...tagged({ tag: "LOG" }, {
    "module.debug": {
      ...BY_MODULE,
      level: "debug",
      what: "A module logged something, at DEBUG.",
      did: "Logged it.",
    },
    "module.info": {
      ...BY_MODULE,
      level: "info",
      what: "A module logged something, at INFO.",
      did: "Logged it.",
    },
    "module.warning": {
      ...BY_MODULE,
      level: "warning",
      what: "A module logged a warning.",
      check: ["Ask the author of the module."],
      did: "Logged it.",
    },
    "module.error": {
      ...BY_MODULE,
      level: "error",
      what: "A module logged an error.",
      why: `${BY_MODULE.why} An error that a "stop" hook throws is logged this way too.`,
      check: ["Ask the author of the module."],
      did: "Logged it. The process continues.",
    },
  }),
  ...tagged({ tag: "BROKER", isOfBroker: true }, {
    "broker.ready": {
      level: "info",
      template: "The broker is ready after {ms} (modules: {modules}, failed: {failed})",
      fields: { modules: count, failed: count, ms: duration },
      what: "Every module is ready, or has failed its first start.",
      why: "Each start of a broker has this line once.",
      check: ["If failed is not 0: the process.failed and process.exited lines before it."],
      did: "Serves calls from now on.",
    },
    "broker.reloaded": {
      level: "info",
      template:
        "The configuration is in force after {ms} (replaced: {replaced}, kept: {kept}, added: {added}, removed: {removed})",
      fields: { replaced: count, kept: count, added: count, removed: count, ms: duration },
      what: "The broker read the configuration again and applied it.",
      why: "The broker received SIGHUP, or runs with --watch and the file changed.",
      check: ["If kept is not 0: the process.kept lines before it."],
      did: "Replaced the modules whose settings have changed, started new ones and drained those that were removed.",
    },
    "broker.not-reloaded": {
      level: "error",
      template: "The configuration stays as it was: {reason}",
      fields: { reason: text },
      what: "The broker read the configuration again, and it is invalid.",
      why: "The end of the line says what is wrong, and where.",
      check: ['Run "brokkr check FILE", then send SIGHUP again.'],
      did: "Nothing: every module runs as before.",
    },
    "broker.files-changed": {
      level: "info",
      template: "{process} is reloaded, since its files have changed: {files}",
      fields: { process, files: text },
      guide: "[operating](./operating.md#while-you-write-a-module)",
      what: "A file of a module, or one that it imports, has changed, and the broker runs with --watch.",
      why: "Someone, or a program, wrote the file.",
      check: ["If the new process does not become ready: the lines after this one say why."],
      did: 'Reloads the module, as "brokkr reload" does: the old process serves until the new one is ready.',
    },
    "broker.unguarded": {
      level: "warning",
      template: "The broker has no guard at the moment, it is started again in {delayMs}: {reason}",
      fields: { reason: text, delayMs: timeout },
      what:
        "The guard, which ends the modules' processes if the broker is killed, has ended and could not be started again.",
      why: "The end of the line says what the system refused: usually no file descriptor or no process is left.",
      check: ['How many files the broker has open: "ls /proc/PID/fd | wc -l", and "ulimit -n". What killed the guard.'],
      did:
        "Continues, and tries again after a pause. If the broker is killed before that, only processes that handle events end with it.",
    },
    "broker.socket-restored": {
      level: "warning",
      template: "The control socket was removed and is there again: {path}",
      fields: { path: text },
      what: "The socket over which `brokkr status`, `call` and the other commands reach the broker was gone.",
      why:
        "Something removed it while the broker ran: a cleanup of temporary files, or the end of the user's last session.",
      check: ["XDG_RUNTIME_DIR or TMPDIR of the broker: choose a folder that stays as long as the broker runs."],
      did: "Created the folder and the socket again. In the seconds before, commands could not reach the broker.",
    },
  }),
  ...tagged({ tag: "PROCESS" }, {
    "standby.lost": {
      level: "warning",
      template: "A standby process is lost (pid {childPid}), the next one starts in {delayMs}: {reason}",
      fields: { childPid: pidOrNone, delayMs: timeout, reason: text },
      isOfBroker: true,
      guide: "[processes that are kept ready](./supervision.md#processes-that-are-kept-ready)",
      what: "A standby process, kept ready for the next start of a module, ended or could not be used.",
      why:
        "In a program, code before Broker.start ends or blocks it. Otherwise it was killed, or the system refused a new process.",
      check: [
        "The end of the line.",
        "Whether the program reaches its Broker.start in each process: modules start more slowly, too.",
      ],
      did: "Starts modules without it, as with standby 0, and tries again after a growing pause.",
    },
  }),
  ...tagged({ tag: "BROKER", isOfBroker: true }, {
    "broker.no-init": {
      level: "warning",
      template:
        "The broker is process 1, and nobody collects processes that have lost their parent: they stay as zombies; what to do: {remedy}",
      fields: { remedy: text },
      guide: "[operating](./operating.md)",
      what: "The broker is process 1 of its container, where nobody reaps ended processes.",
      why:
        "A process that has lost its parent becomes a child of process 1. No JavaScript runtime reaps children that it did not start.",
      check: ['How many there are: "brokkr status" counts zombies.'],
      did:
        "Continues. Each zombie keeps its pid until the container ends, so a limit on processes is reached in the end.",
    },
    "broker.stopped": {
      level: "info",
      template: "The broker stopped in {ms}",
      fields: { ms: duration },
      what: "The broker has stopped: every process has ended.",
      why: 'Ctrl-C, a signal, "brokkr stop" or its program stopped it.',
      check: ["A log that ends without this line: the broker was killed, or the machine went down."],
      did: "Nothing is left of it.",
    },
    "log.lost": {
      level: "warning",
      template: "{lines} log lines are lost, {file} could not be written: {reason}",
      fields: { file: text, lines: { ...count, shown: "LINES" }, reason: text },
      what: "The log file or standard error can be written again, and some lines are missing from it.",
      why:
        "The end of the line has the reason: usually a full disk, a folder that was removed or made read-only, or a reader of standard error that stopped reading.",
      check: [
        "For a file: room on the file system (df), and who may write in the folder. A line on standard error says when it began.",
        "For standard error: what reads it, such as less, a terminal stopped with Ctrl-S, or a container's log driver.",
      ],
      did: "Continued without them, and tried again with each line.",
    },
  }),
  ...tagged({ tag: "CLUSTER", isOfBroker: true }, {
    "cluster.joined": {
      level: "info",
      template: "Joined cluster {cluster} as node {node} by {server} (other members: {members})",
      fields: { cluster: name, node: name, server: text, members: count },
      guide: "[more than one machine](./cluster.md)",
      what: "The broker is now a member of its cluster.",
      why: "It started, or another broker gave up the name.",
      did: "Announces its modules each second, and takes calls for those that it exports.",
    },
    "cluster.unreachable": {
      level: "warning",
      template: "Cannot connect to cluster {cluster}, it is tried again: {reason}",
      fields: { cluster: name, reason: text },
      guide: "[more than one machine](./cluster.md)",
      what: "No server of the cluster can be reached, or none accepts the broker.",
      why: "The end of the line has the answer of the system or the server.",
      check: [
        "Whether nats-server runs, and its address in cluster.servers.",
        "If it is about authorization: cluster.auth. If it is about a certificate: cluster.tls.",
      ],
      did: "Runs its own modules, and tries again. Calls to imported modules wait until their timeout.",
    },
    "cluster.disconnected": {
      level: "warning",
      template: "Lost the connection to {server}, calls of other brokers wait: {reason}",
      fields: { server: text, reason: text },
      guide: "[more than one machine](./cluster.md)",
      what: "The connection to the server of the cluster is lost.",
      why:
        "The server has stopped, the network failed, or the server ended the connection of a broker that did not read.",
      check: ["The log of nats-server, and whether a cluster.reconnected follows."],
      did:
        "Publishes nothing, and reconnects by itself. Calls in flight keep waiting and new ones queue, within their timeouts.",
    },
    "cluster.reconnected": {
      level: "info",
      template: "Connected again to {server} after {ms}",
      fields: { server: text, ms: duration },
      what: "The broker is connected to a server of the cluster again.",
      why: "A server can be reached: the same, or another one of cluster.servers.",
      did: "Asked each peer what it has received, and sent again what was lost.",
    },
    "cluster.taken": {
      level: "error",
      template: "Broker {broker} on node {node} is a member already (pid {otherPid}), this one is not",
      fields: { broker: name, node: name, otherPid: pid },
      guide: "[more than one machine](./cluster.md)",
      what: "Another broker of the same name is a member of the cluster, on a node of the same name.",
      why: "A broker was started twice, or two machines have the same name. The one that started first is the member.",
      check: ["The process with that pid, on this machine or the other. Give one of the two another name or node."],
      did:
        "Runs its own modules, and asks every 5 s whether the name is free. brokkr run ends at its start, with exit code 2.",
    },
    "cluster.denied": {
      level: "error",
      template: "The server does not permit this broker to {action} to {subject}",
      fields: { action: phrase({ publish: "publish", subscribe: "subscribe" }), subject: text },
      guide: "[more than one machine](./cluster.md)",
      what: "The server refused a subject.",
      why: "The permissions of the broker's user in the configuration of nats-server do not include it.",
      check: ["The permissions of that user. The guide has an example."],
      did: "Rejected the calls that needed it at once. Everything else continues.",
    },
    "cluster.too-large": {
      level: "error",
      template: "Cannot send a message of {bytes} bytes: the server takes {limit} (max_payload)",
      fields: { bytes: count, limit: count },
      guide: "[more than one machine](./cluster.md)",
      what: "The server takes no message of that size.",
      why: "Each second the broker announces its modules in one message, about 60 bytes for each exported module.",
      check: ["max_payload in the configuration of nats-server: its default is 1 MiB."],
      did:
        "Did not send the message, so other brokers do not see this one. Logs this once, until the server's limit changes.",
    },
    "cluster.member-joined": {
      level: "info",
      template: "{member} is a member, and exports {modules}",
      fields: { member: name, modules: text },
      what: "This broker has found another broker of the cluster.",
      why: "One of the two has started or connected.",
      did: "Sends calls to its modules from now on, if they are imported.",
    },
    "cluster.member-suspect": {
      level: "warning",
      template: "{member} does not answer: {reason}",
      fields: { member: name, reason: text },
      guide: "[more than one machine](./cluster.md)",
      what: "A member does not answer, and may be gone.",
      why: "It has lost its connection, was killed, or is stopped.",
      check: ["The log of that broker, and whether a cluster.member-back or cluster.member-gone follows."],
      did: "Keeps asking it. Calls in flight wait; new ones go to other members, or wait too.",
    },
    "cluster.member-back": {
      level: "info",
      template: "{member} answers again after {ms}",
      fields: { member: name, ms: duration },
      what: "A member that did not answer does so again.",
      why: "It has reconnected, or runs again.",
      did: "Sends it calls as before.",
    },
    "cluster.member-leaving": {
      level: "info",
      template: "{member} leaves",
      fields: { member: name },
      what: "A member is stopping.",
      why: "Someone stopped it, or another broker has its name.",
      did: "Sends it no new calls. The member finishes those that it has.",
    },
    "cluster.member-gone": {
      level: "warning",
      template: "{member} is gone (calls that it had: {calls})",
      fields: { member: name, calls: count },
      guide: "[more than one machine](./cluster.md)",
      what: "A member is gone, without having said that it stops.",
      why: "It was killed, its machine went down, or it lost its connection for longer than cluster.lostAfterMs.",
      check: ["The log of that broker and its machine."],
      did:
        "Rejected the calls that it had with GONE: they may have run. Calls that were not sent yet go to other members, or wait.",
    },
    "cluster.incompatible": {
      level: "warning",
      template: "{member} can not be called: it speaks protocol {theirs} and this is {ours}",
      fields: { member: name, theirs: text, ours: text },
      what: "A member has a version of brokkr that this broker cannot talk to.",
      why: "The protocol has changed between the two versions.",
      check: ["Update brokkr on one of the two machines."],
      did: "Ignores its modules.",
    },
    "cluster.refused": {
      level: "warning",
      template: "Cannot call [{target}] of {member}: {reason}",
      fields: { member: name, target, reason: text },
      guide: "[more than one machine](./cluster.md)",
      what: "A member, or the server, does not let this broker call a module.",
      why: "The end of the line says who refused it, and why.",
      check: ["cluster.exports of that broker, and the permissions of this broker's user on the server."],
      did: "Rejected the calls at once if no other member has the module, and asks again after 5 s.",
    },
    "cluster.dropped": {
      level: "warning",
      template: "Dropped {count} of what came by the cluster: {what}",
      fields: { what: text, count },
      what: "brokkr dropped a message of the cluster that it could not read.",
      why: "Another program publishes on the subjects of the cluster, or a peer is faulty.",
      check: ["Who may publish below brokkr.CLUSTER on the server."],
      did: "Dropped and counted it.",
    },
  }),
};

type Shared = Pick<EventRow<EventId>, "tag" | "isOfBroker">;

/** A row without what all of its tag have. */
type Row<Id extends EventId> =
  & Omit<EventRow<Id>, keyof Shared | "check">
  & Partial<Pick<EventRow<Id>, "isOfBroker" | "check">>;

/** The rows of one tag. */
function tagged<Ids extends EventId>(
  shared: Shared,
  rows: { readonly [Id in Ids]: Row<Id> },
): { readonly [Id in Ids]: EventRow<Id> };
function tagged(shared: Shared, rows: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(rows).map(([id, row]) => [id, { ...shared, check: [], ...row }]));
}

/** Every event. */
export const EVENT_IDS: readonly EventId[] = Object.keys(EVENTS).filter(isEventId);

/** Whether `id`, which may come from another process, is an event. */
export function isEventId(id: string): id is EventId {
  return Object.hasOwn(EVENTS, id);
}

export function levelOf<Id extends EventId>(
  event: { readonly event: Id; readonly fields: PrintedFields[Id] },
): LogLevel {
  const row: EventRow<Id> = EVENTS[event.event];
  return row.levelWith?.(event.fields) ?? row.level;
}
