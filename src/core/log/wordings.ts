/**
 * The wordings in which the lines of CLEAN AFTER FORK and COMMAND CALL have been written, by this version, by others and
 * by older installations. What this version writes is in `lines.ts`.
 *
 * @module
 */

import { parseSeconds } from "../duration.ts";
import type { PrintedFields } from "./printed.ts";
import type { EventId } from "./record.ts";
import { collapse, makeTemplate, matchSpaced, matchTemplate, type Template } from "./template.ts";

/** What a text says: which event, and what of it. */
export type Said = { [Id in EventId]: { readonly event: Id; readonly fields: PrintedFields[Id] } }[EventId];

export interface Wording {
  readonly template: Template;
  /** Null where old and new are the same. */
  readonly age: "new" | "old" | null;
  readonly say: (values: readonly string[]) => Said;
}

/** What `text` says in one of `wordings`, or null. */
export function readWordings(
  wordings: readonly Wording[],
  text: string,
): { readonly said: Said; readonly age: Wording["age"] } | null {
  for (const { template, age, say } of wordings) {
    const values = matchTemplate(template, text);
    if (values !== null) return { said: say(values), age };
  }
  if (!UNUSUAL_SPACE.test(text)) return null;
  const collapsed = collapse(text);
  for (const { template, age, say } of wordings) {
    const values = matchSpaced(template, text, collapsed);
    if (values !== null) return { said: say(values), age };
  }
  return null;
}

const UNUSUAL_SPACE = /^\s|\s\s|[^\S ]|\s$/;

/** The most frequent ones first: the first that fits is taken. */
export const CALL_WORDINGS: readonly Wording[] = [
  wording(null, "The command call [{command}] was executed by the module {target} in {time}s", answered),
  wording(null, "Executing command [{command}] with param {params}", executing),

  wording(
    "new",
    "The command call [{command}] for module {target} was sent but the call timed out ({time}s). We will retry one time.",
    retry,
  ),
  wording(
    "new",
    "The command call [{command}] for module {target} was sent, but the call timed out ({time}s). Will retry one time.",
    retry,
  ),
  wording("new", "The command call [{command}] was sent but another answer was received. Retrying.", anotherAnswer),
  wording("new", "Failed to send command call [{command}] for module {target} because of timeout ({time}s).", timeout),
  wording("new", "Failed to send command call [{command}] for module {target} because of error: {message}", failed),
  wording("new", "Failed to execute received command [{command}] with error: {message}", crashed),
  wording("new", "Received unknown command [{command}] to execute !", unknown),
  wording("new", "Received unknown command call [{command}] to execute !", unknown),

  wording(
    "old",
    "The command call [{command}] for module {target} was sent but the call did timeout ({time}s). We will retry one time.",
    retry,
  ),
  wording(
    "old",
    "The command call [{command}] for module {target} did timeout ({time}s). We will retry one time.",
    retry,
  ),
  wording("old", "The command call [{command}] was called but another respond was present. Retrying.", anotherAnswer),
  wording(
    "old",
    "Fail to send command call [{command}] for module {target} because the module did timeout ({time}s).",
    timeout,
  ),
  wording(
    "old",
    "Fail to send command call [{command}] for module {target} because of an unknown error {message}",
    failed,
  ),
  wording("old", "Received unknown command [{command}] from father process !", unknown),
  wording("old", "Our father process did send us the command [{command}] that did fail:{stack}", oldCrashed),
];

export const CLEANUP_WORDINGS: readonly Wording[] = [
  wording("new", "cleanup is starting", () => ({ event: "cleanup.start", fields: {} })),
  wording("new", "cleanup done in {time}s", ([time = ""]) => ({
    event: "cleanup.done",
    fields: { ms: parseSeconds(time) },
  })),
];

export function wording(age: Wording["age"], text: string, say: Wording["say"]): Wording {
  return { template: makeTemplate(text), age, say };
}

// By index: destructuring an array is slow, and these two are nearly all lines of a log at DEBUG.
function answered(values: readonly string[]): Said {
  const fields = { command: values[0] ?? "", target: values[1] ?? "", ms: parseSeconds(values[2] ?? "") };
  return { event: "call.answered", fields };
}

function executing(values: readonly string[]): Said {
  return { event: "command.executing", fields: { command: values[0] ?? "", params: values[1] ?? "" } };
}

function retry([command = "", target = "", time = ""]: readonly string[]): Said {
  return { event: "call.retry", fields: { command, target, timeoutMs: parseSeconds(time) } };
}

function anotherAnswer([command = ""]: readonly string[]): Said {
  return { event: "call.another-answer", fields: { command } };
}

function timeout([command = "", target = "", time = ""]: readonly string[]): Said {
  return { event: "call.timeout", fields: { command, target, timeoutMs: parseSeconds(time) } };
}

function failed([command = "", target = "", message = ""]: readonly string[]): Said {
  return { event: "call.error", fields: { command, target, message, stack: [] } };
}

function unknown([command = ""]: readonly string[]): Said {
  return { event: "command.unknown", fields: { command } };
}

function crashed([command = "", message = ""]: readonly string[]): Said {
  return { event: "command.error", fields: { command, message, stack: [] } };
}

/** The old wording names no error: it is the last line of the stack. */
function oldCrashed([command = "", stack = ""]: readonly string[]): Said {
  return { event: "command.error", fields: { command, message: "", stack: stack.trim() === "" ? [] : [stack.trim()] } };
}
