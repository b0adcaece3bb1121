/** Events as lines. */

import { type EventId, type EventRow, EVENTS } from "./events.ts";
import { formatPrefix, type LineStyle } from "./prefix.ts";
import type { PrintedEvent, PrintedOf } from "./record.ts";
import { LineTemplate } from "./template.ts";

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
