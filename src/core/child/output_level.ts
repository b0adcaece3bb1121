/**
 * How serious a printed line is, by the forms that programs commonly write. A guess: what has none of them is INFO.
 *
 * @module
 */

import type { LogLevel } from "../log/record.ts";

/** FATAL is brokkr's own: a module that will not be started again. */
export type OutputLevel = Exclude<LogLevel, "fatal">;

/** Where a level stands, if at all. */
const HEAD = 120;

const LEVELS: ReadonlyMap<string, OutputLevel> = new Map([
  ...words("debug", "trace debug verbose silly finest finer fine"),
  ...words("info", "info information notice log"),
  ...words("warning", "warn warning"),
  ...words("error", "error err severe critical crit fatal alert emerg emergency panic"),
]);
const WORD = [...LEVELS.keys()].filter((word) => word !== "log").join("|");

// <4>…, as for systemd and syslog: the lowest three bits are the severity.
const SYSLOG = /^<(\d{1,3})>/;
// {"level":"warn", …} or {"level":40, …}, of pino, bunyan, zap, slog, winston.
const JSON_LEVEL = /^\s*\{.*?"(?:level|lvl|severity|log\.level)"\s*:\s*(?:"(\w+)"|(\d+))/i;
// level=warn, of logfmt.
const PAIR = /(?:^|\s)(?:level|lvl|severity)=["']?(\w+)/i;
// [error], [ WARN ]
const BRACKETS = new RegExp(`\\[\\s*(${WORD})\\s*\\]`, "i");
// 2021-10-11 06:10:52 ERROR …, ERROR:root:…
const CAPITALS = new RegExp(`(?:^|[\\s|(-])(${WORD.toUpperCase()})(?=$|[\\s:|)!-])`);
// error: …, npm warn …, (node:7) Warning: …, app.js: error: …
const LABEL = new RegExp(`^(?:\\S+\\s){0,2}(${WORD})(?:\\[\\w+\\])?:(?:\\s|$)`, "i");
const NPM = /^npm (warn|err)/i;
// TypeError: …, Uncaught RangeError: …, java.io.IOException: …, and what comes before one.
const THROWN =
  /^(?:(?:Uncaught |Unhandled |Exception in thread "[^"]*" )?(?:[\w$]+\.)*(?:[A-Z]\w*)?(?:Error|Exception)(?::|$|\s\[)|Traceback \(most recent call last\)|thread '.*' panicked at|panic: |Segmentation fault|Killed$)/;
// (node:7) DeprecationWarning: …, UserWarning: …
const WARNED = /^(?:\S+\s){0,2}[A-Z]\w*Warning:\s/;
/** A line of a stack or of a message that goes on: as serious as the one before it. */
const CONTINUED = /^(?:\s+\S|\.\.\. \d+ more|Caused by: )/;

/** @param previous level of the line before, of the same stream. */
export function guessLevel(text: string, previous: OutputLevel): OutputLevel {
  const head = text.slice(0, HEAD);
  const syslog = SYSLOG.exec(head)?.[1];
  if (syslog !== undefined) return bySeverity(Number(syslog) % 8);
  const [isJson, word, number] = JSON_LEVEL.exec(text.slice(0, 1_000)) ?? [];
  if (isJson !== undefined) return number === undefined ? byWord(word) : byNumber(Number(number));
  const found = PAIR.exec(text.slice(0, 1_000)) ?? BRACKETS.exec(head) ?? CAPITALS.exec(head) ?? LABEL.exec(head) ??
    NPM.exec(head);
  if (found !== null) return byWord(found[1]);
  if (THROWN.test(head)) return "error";
  if (WARNED.test(head)) return "warning";
  return CONTINUED.test(head) ? previous : "info";
}

function words(level: OutputLevel, text: string): (readonly [string, OutputLevel])[] {
  return text.split(" ").map((word) => [word, level] as const);
}

function byWord(word: string | undefined): OutputLevel {
  return LEVELS.get((word ?? "").toLowerCase()) ?? "info";
}

/** As pino and bunyan count: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function byNumber(level: number): OutputLevel {
  if (level >= 50) return "error";
  if (level >= 40) return "warning";
  return level >= 30 || level < 10 ? "info" : "debug";
}

function bySeverity(severity: number): OutputLevel {
  if (severity <= 3) return "error";
  if (severity === 4) return "warning";
  return severity === 7 ? "debug" : "info";
}
