/**
 * The values of options and operands: how each is read, and what completes it. What only some commands need is loaded where a
 * value of its kind is read.
 */

import { checkName } from "../core/settings/table.ts";
import { closestMatch } from "../core/checks.ts";
import type { EventId } from "../core/log/events.ts";
import type { LogLevel } from "../core/log/prefix.ts";
import { UNIT_MS } from "./figures.ts";
import type { LogTime } from "./log_filter.ts";
import type { PageAddress } from "./page/access.ts";

/** What completes a value: words, what a running broker has, or files whose names match, beside folders. */
export type Candidates =
  | readonly string[]
  | "broker"
  | "module"
  | "process"
  | "target"
  | "command"
  | "parameter"
  | "event"
  | RegExp;

export interface Value<T> {
  /** Its name in the help. */
  readonly metavar: string;
  readonly candidates: Candidates;
  /** @throws {TypeError} with what is wrong with `word`. */
  read(word: string): T | Promise<T>;
}

function value<T>(
  metavar: string,
  read: (word: string) => T | Promise<T>,
  candidates: Candidates = [],
): Value<T> {
  return { metavar, candidates, read };
}

export function text(metavar: string, candidates?: Candidates): Value<string> {
  return value(metavar, (word) => word, candidates);
}

/** One of `words`, in any case, or another name of one. */
export function choice<const T extends string>(
  metavar: string,
  words: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): Value<T> {
  const read = (word: string) => {
    const lower = word.toLowerCase();
    const found = words.find((one) => one === lower) ?? new Map(Object.entries(aliases)).get(lower);
    if (found !== undefined) return found;
    const near = closestMatch(word, words);
    const hint = near === null ? "" : `; did you mean "${near}"?`;
    throw new TypeError(`${metavar} must be one of ${words.join(", ")}, and it is "${word}"${hint}`);
  };
  return value(metavar, read, words);
}

/** `warn` is how others write it. */
export const LEVEL: Value<LogLevel> = choice("LEVEL", ["debug", "info", "warning", "error", "fatal"], {
  warn: "warning",
});

const TIME = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/;

/** `input` in milliseconds, or what is wrong with it. */
export function parseDuration(input: string): number | string {
  const [, count, unit = ""] = TIME.exec(input) ?? [];
  const milliseconds = Number(count) * (UNIT_MS.get(unit) ?? NaN);
  if (milliseconds > 0) return milliseconds;
  const wrong = `"${input}" must be a time above 0 with its unit, such as 500ms, 1s or 2m`;
  return /^[\d.]+$/.test(input) ? `${wrong}; a number without a unit is not one` : wrong;
}

/** Milliseconds, written with a unit. */
export const DURATION = value("TIME", (word) => good(parseDuration(word)));

/** The name of a broker that is to start. */
export const NAME = value("NAME", (word) => checkName("The name of a broker", word));

export const COUNT = wholeNumber(/^[1-9]\d{0,8}$/, "above 0");

/** How many workers there are to be. */
export const WORKERS = wholeNumber(/^(0|[1-9]\d{0,4})$/, "from 0 to 99999");

function wholeNumber(pattern: RegExp, which: string): Value<number> {
  return value("COUNT", (word) => {
    if (pattern.test(word)) return Number(word);
    throw new TypeError(`COUNT must be a whole number ${which}, and it is "${word}"`);
  });
}

/** A moment in a log, or a span of it. */
export const LOG_TIME: Value<LogTime> = value(
  "TIME",
  async (word) => good((await import("./log_filter.ts")).parseLogTime(word, Date.now())),
);

export const EVENT = value("EVENT", async (word): Promise<EventId> => {
  const { EVENT_IDS, isEventId } = await import("../core/log/events.ts");
  if (isEventId(word)) return word;
  const near = closestMatch(word, EVENT_IDS);
  const remedy = near === null ? `it must be one of ${EVENT_IDS.join(", ")}` : `did you mean "${near}"?`;
  throw new TypeError(`There is no event "${word}"; ${remedy}`);
}, "event");

/** `HOST:PORT` of the page. */
export const PAGE_ADDRESS: Value<PageAddress> = value(
  "HOST:PORT",
  async (word) => good((await import("./page/access.ts")).parseAddress(word)),
);

function good<T>(value: T | string): T {
  if (typeof value === "string") throw new TypeError(value);
  return value;
}
