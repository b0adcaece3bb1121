/**
 * Events as lines.
 *
 * @module
 */

import { cutText } from "./escape.ts";
import { type EventId, type EventRow, EVENTS } from "./events.ts";
import type { LogLevel } from "./level.ts";
import { formatPrefix, type LineStyle } from "./prefix.ts";
import type { LogEvent, LogRecord, PrintedEvent, PrintedOf } from "./record.ts";
import { LineTemplate } from "./template.ts";

export { formatDuration, formatTimeout } from "../duration.ts";

/**
 * The lines of an event, with local time stamp and prefix, without line ends: at least one. Events that were read from a
 * log in the newest wording come out as the bytes they were read from.
 */
export function formatEvent(event: PrintedEvent, style: LineStyle): string[] {
  return linesOf(event, event.fields, style);
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

/** The most characters of parameters that a line shows. */
const MAX_PARAMS = 1000;

/**
 * Parameters as the JSON text of a line: `[]`, `["2021-10",3]`, cut at 1,000 characters with `…`.
 *
 * Never throws, and stops once it has enough characters: a string of 100 MB is cut before it is turned into JSON. What
 * JSON has no word for stands as a string: `"<3 bytes>"`, `"<cyclic>"`, `"<function>"`, `"<unreadable>"`.
 */
export function formatParams(params: readonly unknown[]): string {
  const writer = new ParamsWriter();
  writer.write(params);
  return cutText(writer.text, MAX_PARAMS);
}

class ParamsWriter {
  text = "";
  readonly #parents: object[] = [];

  get #full(): boolean {
    return this.text.length > MAX_PARAMS;
  }

  write(value: unknown): void {
    const start = this.text;
    const depth = this.#parents.length;
    try {
      this.#value(value);
    } catch {
      this.text = `${start}"<unreadable>"`;
      this.#parents.length = depth;
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.text += JSON.stringify(value.slice(0, MAX_PARAMS + 1));
        return;
      case "number":
        this.text += JSON.stringify(value);
        return;
      case "boolean":
      case "bigint":
        this.text += String(value);
        return;
      case "undefined":
        this.text += "null";
        return;
      case "function":
      case "symbol":
        this.text += `"<${typeof value}>"`;
        return;
      case "object":
        if (value === null) this.text += "null";
        else this.#object(value);
    }
  }

  #object(value: object): void {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      this.text += `"<${value.byteLength} bytes>"`;
    } else if (this.#parents.includes(value)) {
      this.text += '"<cyclic>"';
    } else {
      this.#parents.push(value);
      const json: unknown = "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value;
      if (json !== value) this.write(json);
      else if (Array.isArray(json)) this.#array(json);
      else this.#entries(value);
      this.#parents.pop();
    }
  }

  #array(values: readonly unknown[]): void {
    this.text += "[";
    for (let index = 0; index < values.length && !this.#full; index++) {
      if (index > 0) this.text += ",";
      this.write(values[index]);
    }
    this.text += "]";
  }

  #entries(value: object): void {
    this.text += "{";
    let comma = "";
    for (const key of Object.keys(value)) {
      if (this.#full) break;
      const before = this.text;
      this.text += `${comma}${JSON.stringify(key.slice(0, MAX_PARAMS))}:`;
      const start = this.text.length;
      const isOmitted = this.#property(value, key);
      if (isOmitted || this.text.length === start) this.text = before;
      else comma = ",";
    }
    this.text += "}";
  }

  /** Writes the value of `key`; true where JSON leaves the key out. */
  #property(value: object, key: string): boolean {
    try {
      const property: unknown = Reflect.get(value, key);
      if (property === undefined) return true;
      this.write(property);
    } catch {
      this.text += '"<unreadable>"';
    }
    return false;
  }
}
