/**
 * Events as lines.
 *
 * @module
 */

import { type EventId, type EventRow, EVENTS } from "./events.ts";
import type { LogLevel } from "./level.ts";
import { formatPrefix, type LineStyle } from "./prefix.ts";
import type { LogEvent, LogRecord, PrintedEvent, PrintedOf } from "./record.ts";
import { LineTemplate } from "./template.ts";

export { formatDuration, formatTimeout } from "../duration.ts";
export { formatParams } from "./params.ts";

/**
 * The lines of an event, with local time stamp and prefix, without line ends: at least one. Events that were read from a
 * log in the newest wording come out as the bytes they were read from.
 */
export function formatEvent(event: PrintedEvent, style: LineStyle): string[] {
  const prefix = formatPrefix(event, EVENTS[event.event].tag, levelOf(event), style);
  const texts = textsOf(event, event.fields, style);
  for (let index = 0; index < texts.length; index++) texts[index] = prefix + texts[index];
  return texts;
}

/** What the program's `log` function gets for an event. Nothing is formatted before its `lines()` is called. */
export function toRecord(event: LogEvent, style: LineStyle): LogRecord {
  return {
    level: levelOf(event),
    event: event.event,
    time: event.time,
    pid: event.pid,
    module: event.module,
    thread: event.thread,
    fields: event.fields,
    lines: () => formatEvent(event, style),
  };
}

/** The level of an event. */
export function levelOf<Id extends EventId>(event: Pick<PrintedOf<Id>, "event" | "fields">): LogLevel {
  const row: EventRow<Id> = EVENTS[event.event];
  return row.levelWith?.(event.fields) ?? row.level;
}

/** The texts of an event's lines, without the prefix. `values` are its fields by name. */
function textsOf<Id extends EventId>(
  { event, fields }: Pick<PrintedOf<Id>, "event" | "fields">,
  values: Readonly<Record<string, unknown>>,
  style: LineStyle,
): string[] {
  const row: EventRow<Id> = EVENTS[event];
  if (row.written !== undefined) return row.written.texts(fields, style);
  const { line, ofUnknown } = templates.get(event) ?? makeTemplates(event);
  const isUnknown = ofUnknown !== null && line.template.names.some((name) => values[name] === null);
  const text = isUnknown ? ofUnknown.print(values) : line.print(values);
  return row.lines === undefined ? [text] : row.lines(text, fields);
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
