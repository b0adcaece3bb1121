/**
 * The wordings in which the events of CLEAN AFTER FORK and COMMAND CALL have been written, newest first. What is written
 * now is in `lines.ts`.
 *
 * @module
 */

import { parseSeconds } from "./duration.ts";
import type { PrintedFields } from "./printed.ts";
import type { EventId } from "./record.ts";
import { makeTemplate, matchSpaced, matchTemplate, type Template } from "./template.ts";

/** What a text says: which event, and what of it. */
export interface Said<Id extends EventId = EventId> {
  readonly event: Id;
  readonly fields: PrintedFields[Id];
  /** Null where both wordings are the same. */
  readonly wording: "new" | "old" | null;
}

export type AnySaid = { [Id in EventId]: Said<Id> }[EventId];

interface Wording {
  readonly template: Template;
  readonly read: (values: readonly string[]) => AnySaid;
}

type Fields = "command" | "target" | "time" | "message" | "params";

const CALL_WORDINGS: readonly Wording[] = [
  wording("The command call [{command}] was executed by the module {target} in {time}s", null, answered),
  wording("Executing command [{command}] with param {params}", null, executing),
  wording(
    "The command call [{command}] for module {target} was sent but the call timed out ({time}s). We will retry one time.",
    "new",
    retry,
  ),
  wording(
    "The command call [{command}] for module {target} was sent, but the call timed out ({time}s). Will retry one time.",
    "new",
    retry,
  ),
  wording("The command call [{command}] was sent but another answer was received. Retrying.", "new", another),
  wording("Failed to send command call [{command}] for module {target} because of timeout ({time}s).", "new", timeout),
  wording("Failed to send command call [{command}] for module {target} because of error: {message}", "new", failed),
  wording("Failed to execute received command [{command}] with error: {message}", "new", crashed),
  wording("Received unknown command [{command}] to execute !", "new", unknown),
  wording("Received unknown command call [{command}] to execute !", "new", unknown),
  wording(
    "The command call [{command}] for module {target} was sent but the call did timeout ({time}s). We will retry one time.",
    "old",
    retry,
  ),
  wording(
    "The command call [{command}] for module {target} did timeout ({time}s). We will retry one time.",
    "old",
    retry,
  ),
  wording("The command call [{command}] was called but another respond was present. Retrying.", "old", another),
  wording(
    "Fail to send command call [{command}] for module {target} because the module did timeout ({time}s).",
    "old",
    timeout,
  ),
  wording(
    "Fail to send command call [{command}] for module {target} because of an unknown error {message}",
    "old",
    failed,
  ),
  wording("Received unknown command [{command}] from father process !", "old", unknown),
  wording("Our father process did send us the command [{command}] that did fail:", "old", crashed),
];

const CLEANUP_WORDINGS: readonly Wording[] = [
  { template: makeTemplate("cleanup is starting"), read: () => ({ event: "cleanup.start", fields: {}, wording: "new" }) },
  {
    template: makeTemplate("cleanup done in {time}s"),
    read: ([time]) => ({ event: "cleanup.done", fields: { ms: parseSeconds(time ?? "") }, wording: "new" }),
  },
];
