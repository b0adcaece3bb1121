/**
 * Texts of lines, read: what this version writes by the templates of `events.ts`, and what older installations and other versions
 * write of CLEAN AFTER FORK and COMMAND CALL.
 */

import { parseSeconds } from "../duration.ts";
import { EVENT_IDS, type EventId, EVENTS, type PrintedFields } from "./events.ts";
import type { Field, FieldType } from "./field_types.ts";
import { LINE_TAGS, type LineTag, type LogLevel } from "./prefix.ts";
import { collapse, LineTemplate, makeTemplate, matchSpaced, matchTemplate, type Template } from "./format.ts";

/** What a text says: which event, and what of its fields. */
export interface Match {
  readonly event: EventId;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Null where older installations write it as this version does. */
  readonly age: "new" | "old" | null;
}

/** One way in which an event is written. */
interface Pattern {
  readonly event: EventId;
  readonly age: Match["age"];
  readonly template: Template;
  /** The fields, of the template's values and of the level of the line; null where they are none of the event's. */
  readonly fields: (values: readonly string[], level: LogLevel) => Match["fields"] | null;
}

/** What `text` says by the first of `patterns` that fits, or null. `level` is that of its line. */
export function readText(patterns: readonly Pattern[], text: string, level: LogLevel): Match | null {
  for (const pattern of patterns) {
    const values = matchTemplate(pattern.template, text);
    const fields = values === null ? null : pattern.fields(values, level);
    if (fields !== null) return { event: pattern.event, fields, age: pattern.age };
  }
  if (!UNUSUAL_SPACE.test(text)) return null;
  const collapsed = collapse(text);
  for (const pattern of patterns) {
    const values = matchSpaced(pattern.template, text, collapsed);
    const fields = values === null ? null : pattern.fields(values, level);
    if (fields !== null) return { event: pattern.event, fields, age: pattern.age };
  }
  return null;
}

const UNUSUAL_SPACE = /^\s|\s\s|[^\S ]|\s$/;

interface PatternOptions {
  readonly age: Match["age"];
  /** Fields that the text does not have. */
  readonly unread?: Match["fields"];
  /** Fields whose text is another one than today's. */
  readonly types?: Readonly<Record<string, Field<unknown>>>;
}

function makePattern(event: EventId, text: string, { age, unread = {}, types = {} }: PatternOptions): Pattern {
  const row = EVENTS[event];
  const all: Readonly<Record<string, Field<unknown>>> = { ...row.fields, ...types };
  const line = new LineTemplate(text, all);
  const given: Match["fields"] = { ...row.unread, ...unread };
  const [levelField, levelType] = Object.entries(all).find(([, field]) => "isLevel" in field) ?? [];
  const known = Object.keys(all).filter((name) =>
    name === levelField || Object.hasOwn(given, name) || line.template.names.includes(name)
  );
  // In the order of the row, whatever the order in the text.
  const start = Object.fromEntries(known.map((name) => [name, given[name]]));
  const fields: Pattern["fields"] = (values, level) => {
    if (row.isAtLevel !== undefined && row.level !== level) return null;
    const read: Record<string, unknown> = { ...start };
    if (!line.read(values, read)) return null;
    if (levelField === undefined) return read;
    read[levelField] = level;
    return levelType?.check(level) === true ? read : null;
  };
  return { event, age, template: line.template, fields: LITERALS.get(event) ?? fields };
}

/**
 * Nearly all lines of a log at DEBUG are of these two. An object of a literal is made sooner than one whose fields are set by their
 * names: the whole log is read in 15 % less time, in Deno and in Bun.
 */
const LITERALS = new Map<EventId, (values: readonly string[]) => Match["fields"]>([
  [
    "call.answered",
    (values: readonly string[]): PrintedFields["call.answered"] => ({
      command: values[0] ?? "",
      target: values[1] ?? "",
      ms: parseSeconds(values[2] ?? ""),
    }),
  ],
  [
    "command.executing",
    (values: readonly string[]): PrintedFields["command.executing"] => ({
      command: values[0] ?? "",
      params: values[1] ?? "",
    }),
  ],
]);

/** Events that have always been written as today. */
const UNCHANGED: ReadonlySet<EventId> = new Set<EventId>(["call.answered", "command.executing"]);

/** The error is the last line of the stack, whose first line stands behind the text. */
const OLD_STACK: FieldType<readonly string[]> = {
  check: (value) => Array.isArray(value),
  print: (stack) => stack.join(""),
  read: (text) => text.trim() === "" ? [] : [text.trim()],
};

/** What else the readers of this version know, and nobody writes any more. Nothing joins. */
const OLDER: readonly (readonly [event: EventId, age: "new" | "old", template: string])[] = [
  [
    "call.retry",
    "new",
    "The command call [{command}] for module {target} was sent, but the call timed out ({timeoutMs}). Will retry one time.",
  ],
  ["command.unknown", "new", "Received unknown command call [{command}] to execute !"],
  [
    "call.retry",
    "old",
    "The command call [{command}] for module {target} was sent but the call did timeout ({timeoutMs}). We will retry one time.",
  ],
  [
    "call.retry",
    "old",
    "The command call [{command}] for module {target} did timeout ({timeoutMs}). We will retry one time.",
  ],
  ["call.another-answer", "old", "The command call [{command}] was called but another respond was present. Retrying."],
  [
    "call.timeout",
    "old",
    "Fail to send command call [{command}] for module {target} because the module did timeout ({timeoutMs}).",
  ],
  [
    "call.error",
    "old",
    "Fail to send command call [{command}] for module {target} because of an unknown error {message}",
  ],
  ["command.unknown", "old", "Received unknown command [{command}] from father process !"],
];

const PATTERNS = new Map<LineTag, readonly Pattern[]>(LINE_TAGS.map((tag) => [
  tag,
  EVENT_IDS.filter((id) => EVENTS[id].tag === tag).flatMap(patternsOfEvent),
]));

const CALL_PATTERNS: readonly Pattern[] = [
  ...PATTERNS.get("COMMAND CALL") ?? [],
  ...OLDER.map(([event, age, template]) => makePattern(event, template, { age })),
  makePattern("command.error", "Our father process did send us the command [{command}] that did fail:{stack}", {
    age: "old",
    unread: { message: "" },
    types: { stack: OLD_STACK },
  }),
];

/** How lines with a tag are written; null is the tag of those of older installations. */
export function patternsOf(tag: LineTag | null): readonly Pattern[] {
  return tag === null || tag === "COMMAND CALL" ? CALL_PATTERNS : PATTERNS.get(tag) ?? [];
}

/** Every text that says by itself what it is of: any text is one of a module's own. */
export function allPatterns(): readonly Pattern[] {
  const others = LINE_TAGS.filter((tag) => tag !== "COMMAND CALL" && tag !== "LOG");
  return [...CALL_PATTERNS, ...others.flatMap(patternsOf)];
}

function patternsOfEvent(event: EventId): Pattern[] {
  const { template, templateOfUnknown, written } = EVENTS[event];
  const age = UNCHANGED.has(event) ? null : "new";
  if (written !== undefined) {
    return written.read.map(([text, fields]) => ({ event, age, template: makeTemplate(text), fields }));
  }
  if (template === undefined) return [];
  const pattern = makePattern(event, template, { age });
  if (templateOfUnknown === undefined) return [pattern];
  const { names } = makeTemplate(templateOfUnknown);
  const unknown = makeTemplate(template).names.filter((name) => !names.includes(name));
  const unread = Object.fromEntries(unknown.map((name) => [name, null]));
  return [pattern, makePattern(event, templateOfUnknown, { age, unread })];
}
