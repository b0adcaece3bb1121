/** Events as lines, and the templates by which lines are written and read. */

import { type EventId, type EventRow, EVENTS, type PrintedEvent, type PrintedOf } from "./events.ts";
import { formatPrefix, type LineStyle } from "./prefix.ts";
import type { Field, FieldType } from "./field_types.ts";

/**
 * The lines of an event, with local time stamp and prefix, without line ends: at least one. Events that were read from a
 * log in the newest wording come out as the bytes they were read from.
 */
export function formatEvent(event: PrintedEvent, style: LineStyle): string[] {
  return linesOf(event, event.fields, style);
}

/** `values` are the event's fields by name. */
function linesOf<Id extends EventId>(
  event: PrintedOf<Id>,
  values: Readonly<Record<string, unknown>>,
  style: LineStyle,
): string[] {
  const { fields } = event;
  const row: EventRow<Id> = EVENTS[event.event];
  const prefix = formatPrefix(event, row.tag, row.levelWith?.(fields) ?? row.level, style);
  if (row.written !== undefined) return row.written.texts(fields, style).map((text) => prefix + text);
  const { line, ofUnknown } = templates.get(event.event) ?? makeTemplates(event.event);
  const isUnknown = ofUnknown !== null && line.template.names.some((name) => values[name] === null);
  const text = isUnknown ? ofUnknown.print(values) : line.print(values);
  return row.lines === undefined ? [prefix + text] : row.lines(text, fields).map((one) => prefix + one);
}

interface Templates {
  readonly line: LineTemplate;
  readonly ofUnknown: LineTemplate | null;
}

/** Those that were needed. */
const templates = new Map<EventId, Templates>();

function makeTemplates(id: EventId): Templates {
  const { template = "", templateOfUnknown, fields } = EVENTS[id];
  const ofUnknown = templateOfUnknown === undefined ? null : new LineTemplate(templateOfUnknown, fields);
  const made = { line: new LineTemplate(template, fields), ofUnknown };
  templates.set(id, made);
  return made;
}

/** The words of a line, and the names of the values between them. */
export interface Template {
  /** One more than {@link names}; the first begins the text and the last ends it. */
  readonly words: readonly string[];
  readonly names: readonly string[];
}

export function makeTemplate(text: string): Template {
  const parts = text.split(/\{(\w+)\}/);
  return {
    words: parts.filter((_, index) => index % 2 === 0),
    names: parts.filter((_, index) => index % 2 === 1),
  };
}

/**
 * The values of a text of this template in their order, trimmed except for a last one that ends the text; else null.
 * A value ends where the next words first stand, the one before the last words where those end the text.
 */
export function matchTemplate({ words, names }: Template, text: string): string[] | null {
  const first = words[0] ?? "";
  if (!text.startsWith(first)) return null;
  const last = words[words.length - 1] ?? "";
  if (names.length === 0) return text.trimEnd() === first ? [] : null;
  const end = text.length - last.length;
  if (!text.endsWith(last) || end < first.length) return null;
  const values: string[] = [];
  let at = first.length;
  for (let index = 1; index < words.length - 1; index++) {
    const word = words[index] ?? "";
    const found = text.indexOf(word, at);
    if (found === -1 || found + word.length > end) return null;
    values.push(text.slice(at, found).trim());
    at = found + word.length;
  }
  const value = text.slice(at, end);
  values.push(last === "" ? value : value.trim());
  return values;
}

/** {@link matchTemplate} for a text in which any run of white space stands for one space. */
export function matchSpaced(template: Template, text: string, collapsed = collapse(text)): string[] | null {
  if (collapsed === text) return null;
  const values = matchTemplate(template, collapsed);
  if (values === null || template.words.at(-1) !== "") return values;
  // A value that ends the text is free text: its own white space is kept.
  const length = (values.pop() ?? "").replaceAll(" ", "").length;
  let at = text.trimEnd().length;
  for (let left = length; left > 0; at--) if (!/\s/.test(text.charAt(at - 1))) left--;
  return [...values, text.slice(at)];
}

/** `text` with one space for each run of white space. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** A template with the types of its values. */
export class LineTemplate {
  readonly template: Template;
  /** The text with the values of `fields`. */
  readonly print: (fields: Fields) => string;
  readonly #values: readonly Value[];

  /** @param fields must have each name in `text`. */
  constructor(text: string, fields: Readonly<Record<string, Field<unknown>>>) {
    const { words, names } = makeTemplate(text);
    const first = words[0] ?? "";
    this.#values = names.map((name, index) => {
      const type = fields[name];
      if (type === undefined || !("print" in type)) throw new Error(`Cannot print {${name}} in "${text}"`);
      return { name, type, behind: words[index + 1] ?? "" };
    });
    const behind = this.#values.map(({ type, behind }) => `${type.unit ?? ""}${behind}`);
    this.template = { names, words: [first, ...behind] };
    this.print = printerOf(first, this.#values);
  }

  /** Adds the `values` of a line that matches to `fields`; false where one is none of its type. */
  read(values: readonly string[], fields: Record<string, unknown>): boolean {
    let index = 0;
    for (const { name, type } of this.#values) {
      const value = type.read(values[index++] ?? "");
      if (value === undefined) return false;
      fields[name] = value;
    }
    return true;
  }
}

interface Value {
  readonly name: string;
  readonly type: FieldType<unknown>;
  /** The words behind it. */
  readonly behind: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** One expression for as many values as most templates have: a loop over them takes half as long again. */
function printerOf(first: string, [a, b, c, ...more]: readonly Value[]): (fields: Fields) => string {
  if (a === undefined) return () => first;
  if (b === undefined) return (fields) => first + a.type.print(fields[a.name]) + a.behind;
  const two = (fields: Fields) =>
    first + a.type.print(fields[a.name]) + a.behind + b.type.print(fields[b.name]) + b.behind;
  if (c === undefined) return two;
  const three = (fields: Fields) =>
    first + a.type.print(fields[a.name]) + a.behind + b.type.print(fields[b.name]) + b.behind +
    c.type.print(fields[c.name]) + c.behind;
  if (more.length === 0) return three;
  const rest = printerOf("", more);
  return (fields) => three(fields) + rest(fields);
}
