/** Failed calls grouped by cause, and errors grouped by stack. */

import { formatTimeout } from "../../core/duration.ts";
import { ownText } from "../../core/log/prefix.ts";
import type { ParsedEvent } from "../../core/log/parse.ts";

const MAX_GROUPS = 500;
const MAX_STACK_LINES = 60;
const MAX_CHARACTERS = 500;

interface FailureFacts {
  /** `timeout (1s)`, or the message of the first error. */
  readonly cause: string;
}

export interface StackFacts {
  /** The message of the first one. */
  readonly message: string;
  /** The stack of the first one, as printed; the innermost lines where it is long. */
  readonly stack: readonly string[];
}

export interface TroubleFigures {
  /** Failed calls by module, command and cause. Causes that differ only in numbers are equal. */
  readonly failures: readonly Group<FailureFacts>[];
  /** Commands that threw, by stack. */
  readonly crashes: readonly Group<StackFacts>[];
  /** Failed cleanups by stack. `modules` are those whose cleanup failed. */
  readonly cleanupErrors: readonly Group<StackFacts>[];
  /** Events in none of the groups, because there are too many groups. */
  readonly others: { readonly failures: number; readonly crashes: number; readonly cleanupErrors: number };
}

export class TroubleGroups {
  readonly #failures = new Groups<FailureFacts>();
  readonly #crashes = new Groups<StackFacts>();
  readonly #cleanupErrors = new Groups<StackFacts>();

  add({ event, fields, timeText, module }: ParsedEvent): void {
    switch (event) {
      case "call.timeout":
      case "call.error": {
        const { command, target } = fields;
        const cause = event === "call.timeout" ? `timeout (${formatTimeout(fields.timeoutMs)})` : fields.message;
        const key = `${target}\0${command}\0${event === "call.timeout" ? cause : alike(cause)}`;
        return this.#failures.add(key, { timeText, module: target, command }, () => ({ cause: kept(cause) }));
      }
      case "command.error": {
        const seen = { timeText, module, command: fields.command };
        return this.#crashes.add(stackKey(fields), seen, () => stackFacts(fields));
      }
      case "cleanup.error": {
        const seen = { timeText, module: fields.owner, command: null };
        return this.#cleanupErrors.add(`${fields.owner}\0${stackKey(fields)}`, seen, () => stackFacts(fields));
      }
    }
  }

  figures(): TroubleFigures {
    const [failures, crashes, cleanupErrors] = [this.#failures, this.#crashes, this.#cleanupErrors];
    return {
      failures: failures.result(),
      crashes: crashes.result(),
      cleanupErrors: cleanupErrors.result(),
      others: { failures: failures.others, crashes: crashes.others, cleanupErrors: cleanupErrors.others },
    };
  }
}

/** Messages of the same error differ in numbers, which are ignored. */
function stackKey({ message, stack }: { readonly message: string; readonly stack: readonly string[] }): string {
  if (stack.length === 0) return alike(message);
  return `${stack.slice(0, -1).join("\n")}\n${alike(stack.at(-1) ?? "")}`;
}

function stackFacts({ message, stack }: { readonly message: string; readonly stack: readonly string[] }): StackFacts {
  return { message: kept(message), stack: stack.slice(-MAX_STACK_LINES).map(kept) };
}

function alike(message: string): string {
  return message.slice(0, MAX_CHARACTERS).replace(/\d+/g, "#");
}

function kept(text: string): string {
  return ownText(text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text);
}

/** How many names a group keeps. */
const MAX_NAMES = 10;

/** Similar events: how many, from when to when. */
export interface Group<Facts> {
  readonly facts: Facts;
  count: number;
  /** `YYYY-MM-DD HH:MM:SS`, as in the log. */
  first: string;
  last: string;
  /** Where they happened; the first ten. */
  readonly modules: string[];
  readonly commands: string[];
}

/** `sla get_report, get_trend`. */
export function placeOf({ modules, commands }: Group<unknown>): string {
  return [modules.join(", "), commands.join(", ")].filter((names) => names !== "").join(" ");
}

/** Groups of similar events of one kind, up to {@link MAX_GROUPS}. */
class Groups<Facts> {
  readonly #groups = new Map<string, Group<Facts>>();
  /** Events in none of the groups, because there are too many groups. */
  others = 0;

  /** @param facts makes the facts of a new group. Its texts must not be slices of a larger text. */
  add(key: string, seen: { timeText: string; module: string; command: string | null }, facts: () => Facts): void {
    const { timeText, module, command } = seen;
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= MAX_GROUPS) {
        this.others++;
        return;
      }
      const time = ownText(timeText);
      group = { facts: facts(), count: 0, first: time, last: time, modules: [], commands: [] };
      this.#groups.set(ownText(key), group);
    }
    group.count++;
    if (timeText < group.first) group.first = ownText(timeText);
    if (timeText > group.last) group.last = ownText(timeText);
    note(group.modules, module);
    if (command !== null) note(group.commands, command);
  }

  /** The most frequent ones first. */
  result(): Group<Facts>[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count || (a.first < b.first ? -1 : 1));
  }
}

function note(names: string[], name: string): void {
  if (names.length < MAX_NAMES && !names.includes(name)) names.push(ownText(name));
}
