/**
 * The wordings of brokkr's own tags, for reading. They are written in `lines.ts`.
 *
 * @module
 */

import { parseSeconds } from "../duration.ts";
import type { LineTag } from "./lines.ts";
import type { LogLevel } from "./record.ts";
import type { ResourceFigures } from "../wire/status.ts";
import { RELOAD_WORDINGS, SUPERVISED_PROCESS_WORDINGS } from "./supervision_wordings.ts";
import { type Said, type Wording, wording } from "./wordings.ts";

const PROCESS_WORDINGS: readonly Wording[] = [
  wording("new", "{process} is starting (generation {generation})", ([process = "", generation]) => ({
    event: "process.starting",
    fields: { process, generation: Number(generation) },
  })),
  wording("new", "{process} is ready after {time}s (pid {childPid})", ([process = "", time = "", pid]) => ({
    event: "process.ready",
    fields: { process, ms: parseSeconds(time), childPid: Number(pid) },
  })),
  wording("new", "{process} sent notification [{method}]", ([process = "", method = ""]) => ({
    event: "program.notification",
    fields: { process, method },
  })),
  wording("new", "{process}: dropped {count} {what}", ([process = "", count, what = ""]) => ({
    event: "process.dropped",
    fields: { process, what, count: Number(count) },
  })),
  ...SUPERVISED_PROCESS_WORDINGS,
  exited("as asked"),
  exited("unexpectedly"),
  wording(
    "new",
    "{process} will be started again in {time}s (restarts so far: {restarts})",
    ([process = "", time = "", restarts]) => ({
      event: "process.backoff",
      fields: { process, delayMs: parseSeconds(time), restarts: Number(restarts) },
    }),
  ),
  wording(
    "new",
    "{process} will not be started again: {reason}; what to do: {remedy}",
    ([process = "", reason = "", remedy = ""]) => ({ event: "process.failed", fields: { process, reason, remedy } }),
  ),
  wording(
    "new",
    "A process of {process} that an earlier broker left behind was killed (pid {childPid}, age {time}s)",
    ([process = "", pid, time = ""]) => ({
      event: "process.orphan",
      fields: { process, childPid: Number(pid), ms: parseSeconds(time) },
    }),
  ),
  wording("new", "{process} is stopping (pid {childPid})", ([process = "", pid = ""]) => ({
    event: "process.stopping",
    fields: { process, childPid: numberOrNull(pid) },
  })),
  wording("new", "{process} stopped in {time}s", ([process = "", time = ""]) => ({
    event: "process.stopped",
    fields: { process, ms: parseSeconds(time) },
  })),
];

const ANSWER_WORDINGS: readonly Wording[] = [
  answer("Late", "answer.late"),
  answer("Duplicate", "answer.duplicate"),
  answer("Unknown", "answer.unknown"),
].flat();

const BROKER_WORDINGS: readonly Wording[] = [
  wording(
    "new",
    "The broker is ready after {time}s (modules: {modules}, failed: {failed})",
    ([time = "", modules, failed]) => ({
      event: "broker.ready",
      fields: { modules: Number(modules), failed: Number(failed), ms: parseSeconds(time) },
    }),
  ),
  ...RELOAD_WORDINGS,
  wording("new", "The broker stopped in {time}s", ([time = ""]) => ({
    event: "broker.stopped",
    fields: { ms: parseSeconds(time) },
  })),
];

const RECEIPT_TEXT =
  "Released {count} modules [{released}] in {time}s, errors {errors}, PSS {a} to {b}, private memory {c} to {d}, " +
  "heap {e} to {f}, open files {g} to {h}";

const RECEIPT_WORDINGS: readonly Wording[] = [
  wording("new", `${RECEIPT_TEXT}, each [{each}], left over [{left}]`, receipt),
  wording("new", `${RECEIPT_TEXT}, left over [{left}]`, (values) => receipt(values.toSpliced(-1, 0, ""))),
  wording("new", `${RECEIPT_TEXT}, each [{each}]`, receipt),
  wording("new", RECEIPT_TEXT, receipt),
];

const LOG_WORDINGS: { readonly [Level in LogLevel]: readonly Wording[] } = {
  debug: [wording("new", "{text}", ([text = ""]) => ({ event: "module.debug", fields: { text } }))],
  info: [wording("new", "{text}", ([text = ""]) => ({ event: "module.info", fields: { text } }))],
  warning: [wording("new", "{text}", ([text = ""]) => ({ event: "module.warning", fields: { text } }))],
  error: [wording("new", "{text}", ([text = ""]) => ({ event: "module.error", fields: { text } }))],
  fatal: [],
};

const HEARTBEAT_WORDINGS: readonly Wording[] = [
  wording(
    "new",
    "{target} did not answer attempt {attempt} of [{command}] in time: it is {peer} ({why}; last heard of {time}s ago)",
    ([target = "", attempt, command = "", peer, , time = ""]) => ({
      event: "call.silence",
      fields: {
        target,
        attempt: Number(attempt),
        command,
        peer: peer === "slow" ? "slow" : "blocked",
        silentMs: parseSeconds(time),
      },
    }),
  ),
];

const OUTPUT_WORDINGS: { readonly [Level in LogLevel]: readonly Wording[] } = {
  debug: [output("debug"), ...PROCESS_WORDINGS],
  info: [output("info"), ...PROCESS_WORDINGS],
  warning: [output("warning"), ...PROCESS_WORDINGS],
  error: [output("error"), ...PROCESS_WORDINGS],
  fatal: PROCESS_WORDINGS,
};

const OWN_WORDINGS: ReadonlyMap<LineTag, readonly Wording[]> = new Map<LineTag, readonly Wording[]>([
  ["ANSWER", ANSWER_WORDINGS],
  ["HEARTBEAT", HEARTBEAT_WORDINGS],
  ["BROKER", BROKER_WORDINGS],
  ["CLEANUP RECEIPT", RECEIPT_WORDINGS],
]);

/** The wordings of a tag other than CLEAN AFTER FORK and COMMAND CALL. */
export function ownWordings(tag: LineTag, level: LogLevel): readonly Wording[] {
  if (tag === "PROCESS") return OUTPUT_WORDINGS[level];
  return tag === "LOG" ? LOG_WORDINGS[level] : OWN_WORDINGS.get(tag) ?? [];
}

/** Its level is in the prefix alone. */
function output(level: Exclude<LogLevel, "fatal">): Wording {
  return wording(
    "new",
    "{process} wrote to {stream} (pid {childPid}): {text}",
    ([process = "", stream, pid, text = ""]) => ({
      event: "process.output",
      fields: { process, stream: stream === "stderr" ? "stderr" : "stdout", childPid: Number(pid), text, level },
    }),
  );
}

function exited(how: "as asked" | "unexpectedly"): Wording {
  return wording(
    "new",
    `{process} ended ${how} (pid {childPid}, exit code {exitCode}, signal {signal}): {reason}`,
    ([process = "", pid = "", code = "", signal = "", reason = ""]) => ({
      event: "process.exited",
      fields: {
        process,
        childPid: numberOrNull(pid),
        exitCode: numberOrNull(code),
        signal: signal === "none" ? null : signal,
        reason,
        expected: how === "as asked",
      },
    }),
  );
}

function answer(which: string, event: "answer.late" | "answer.duplicate" | "answer.unknown"): Wording[] {
  const text = `${which} answer from {target} was discarded (call {id}`;
  return [
    wording("new", `${text}, command [{command}])`, ([target = "", id = "", command = ""]): Said => ({
      event,
      fields: { target, command, id },
    })),
    wording("new", `${text})`, ([target = "", id = ""]): Said => ({ event, fields: { target, command: null, id } })),
  ];
}

function receipt(values: readonly string[]): Said {
  const [, released = "", time = "", errors, ...rest] = values;
  const figures = rest.slice(0, 8);
  const [each = "", left = ""] = rest.slice(8);
  return {
    event: "cleanup.receipt",
    fields: {
      ms: parseSeconds(time),
      released: released === "" ? [] : released.split(", "),
      errors: Number(errors),
      modules: each === "" ? [] : each.split(", ").map((text) => {
        const [name = "", seconds = ""] = text.split(" ");
        return { name, ms: parseSeconds(seconds.replace(/s$/, "")) };
      }),
      leftovers: left === "" ? [] : left.split(/, (?=\d+ × )/).map((text) => {
        const [count, ...kind] = text.split(" × ");
        return { kind: kind.join(" × "), count: Number(count) };
      }),
      before: figuresOf(figures.filter((_, index) => index % 2 === 0)),
      after: figuresOf(figures.filter((_, index) => index % 2 === 1)),
    },
  };
}

/** Printed in MiB with one decimal, so bytes are right to that. */
function figuresOf([pss = "", privateMemory = "", heap = "", files = ""]: readonly string[]): ResourceFigures {
  return {
    pssBytes: bytesOrNull(pss),
    privateBytes: bytesOrNull(privateMemory),
    heapBytes: bytesOrNull(heap),
    openFiles: numberOrNull(files),
  };
}

function bytesOrNull(text: string): number | null {
  const value = numberOrNull(text.replace(" MiB", ""));
  return value === null ? null : Math.round(value * 1_048_576);
}

/** `none` and `unknown` are null. */
function numberOrNull(text: string): number | null {
  return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
}
