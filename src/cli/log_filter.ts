/** Which events `brokkr logs` selects. */

import type { ParsedEvent } from "../core/log/parse.ts";
import type { EventId } from "../core/log/events.ts";
import { isAtLeast, type LogLevel, twinOf } from "../core/log/prefix.ts";
import { UNIT_MS } from "./figures.ts";

/** Each option that is left out selects everything. */
interface FilterOptions {
  /** Names of modules, which include their workers, or of workers. */
  readonly modules: readonly string[];
  readonly commands: readonly string[];
  readonly events: readonly EventId[];
  /** The least serious level. */
  readonly level?: LogLevel | undefined;
  readonly since?: LogTime | undefined;
  readonly until?: LogTime | undefined;
}

export type Filter = (event: ParsedEvent) => boolean;

/** Selects events that match all options; null if that is every event. */
export function makeFilter({ modules, commands, events, level, since, until }: FilterOptions): Filter | null {
  const filters: Filter[] = [];
  if (since !== undefined) filters.push(({ time }) => time >= since.from);
  if (until !== undefined) filters.push(({ time }) => time <= until.to);
  if (level !== undefined) filters.push((event) => isAtLeast(event.level, level));
  const ids = new Set<string>(events);
  if (ids.size > 0) filters.push(({ event }) => ids.has(event));
  const names = new Set(commands);
  if (names.size > 0) filters.push(({ fields }) => "command" in fields && names.has(fields.command ?? ""));
  if (modules.length > 0) filters.push((event) => namesOf(event).some((name) => isOneOf(name, modules)));
  return filters.length === 0 ? null : (event) => filters.every((fits) => fits(event));
}

/** Every process that an event is about: its writer, and what is called, cleaned or started. */
function namesOf({ module, fields }: ParsedEvent): string[] {
  const others = ["target", "process", "owner"].map((key): unknown => Reflect.get(fields, key));
  return [module, ...others.filter((name) => typeof name === "string")];
}

/** `Livestatus` includes `Livestatus-1`. */
function isOneOf(name: string, modules: readonly string[]): boolean {
  return modules.some((module) =>
    name === module || (name.startsWith(`${module}-`) && /^\d+$/.test(name.slice(module.length + 1)))
  );
}

const ABSOLUTE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d))?)?)?$/;
const RELATIVE = /^(\d{1,6}(?:\.\d{1,6})?)(s|m|h|d)$/;

/** A span of time: `06:10:52` is a second, `06:10` a minute, `2021-10-11` a day. */
export interface LogTime {
  /** Its first millisecond since the epoch. */
  readonly from: number;
  /** Its last second. */
  readonly to: number;
}

/** The span that `input` names in local time, or what is wrong with it. */
export function parseLogTime(input: string, now: number): LogTime | string {
  const [, count, unit = ""] = RELATIVE.exec(input) ?? [];
  const ago = Number(count) * (UNIT_MS.get(unit) ?? NaN);
  if (!Number.isNaN(ago)) return { from: now - ago, to: now - ago };
  const [whole, ...parts] = ABSOLUTE.exec(input) ?? [];
  const given = parts.filter((part) => part !== undefined).map(Number);
  const [year = NaN, month = 1, day = 1, hour = 0, minute = 0, second = 0] = given;
  const from = new Date(year, month - 1, day, hour, minute, second);
  const isReal = from.getMonth() === month - 1 && from.getDate() === day && hour < 24 && minute < 60 && second < 60;
  if (whole === undefined || !isReal) {
    return `"${input}" must be a time like in the log, such as 2021-10-11T06:10 or "2021-10-11 06:10:52", ` +
      "or how long ago, such as 30m, 2h or 1d";
  }
  // The end of the span: 06:10 lasts until 06:10:59.
  given[given.length - 1] = (given.at(-1) ?? 0) + 1;
  const [endYear = NaN, endMonth = 1, endDay = 1, endHour = 0, endMinute = 0, endSecond = 0] = given;
  const end = new Date(endYear, endMonth - 1, endDay, endHour, endMinute, endSecond);
  const [first, last] = [from.getTime(), end.getTime() - 1_000];
  // When clocks were set back, all events with this stamp are included.
  return { from: Math.min(first, twinOf(first) ?? first), to: Math.max(last, twinOf(last) ?? last) };
}
