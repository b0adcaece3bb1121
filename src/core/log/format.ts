import { escapeName } from "./escape.ts";
import { levelOf, tagOf, textsOf } from "./lines.ts";
import { nameBracket } from "./name_bracket.ts";
import type { PrintedEvent } from "./printed.ts";
import type { LineStyle, LogEvent, LogLevel, LogRecord } from "./record.ts";
import { formatStamp } from "./stamp.ts";

export { formatDuration, formatTimeout } from "../duration.ts";
export { formatParams } from "./params.ts";

const LEVEL_TEXTS: { readonly [Level in LogLevel]: string } = {
  debug: "DEBUG",
  info: "INFO",
  warning: "WARNING",
  error: "ERROR",
  fatal: "FATAL",
};

/**
 * The lines of an event, with local time stamp and prefix, without line ends: at least one. Events that were read from a
 * log in the newest wording come out as the bytes they were read from.
 */
export function formatEvent(event: PrintedEvent, style: LineStyle): string[] {
  const texts = textsOf(event, style);
  const prefix = prefixOf(event, style);
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

function prefixOf(event: PrintedEvent, style: LineStyle): string {
  const tag = tagOf(event.event);
  const level = LEVEL_TEXTS[levelOf(event)];
  const head = `[${formatStamp(event.time)}] ${style.aligned ? level.padEnd(7) : `${level} `}: `;
  const module = nameBracket(event.module, style);
  if (tag === "CLEAN AFTER FORK") {
    return `${head}${module} [ ${tag} ] ${event.pid === null ? "" : `[ pid:${event.pid} ] `}`;
  }
  const pid = event.pid === null ? "" : `[ PID:${event.pid} ] `;
  const thread = event.thread === null ? "" : `[ ${escapeName(event.thread)} ] `;
  return `${head}${nameBracket(style.broker, style)} ${module} [ ${tag} ] ${pid}${thread}`;
}
