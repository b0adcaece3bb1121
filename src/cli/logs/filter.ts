/**
 * Which events are asked for.
 *
 * @module
 */

import { isAtLeast } from "../../core/log/level.ts";
import type { ParsedEvent } from "../../core/log/parsed.ts";
import type { EventId, LogLevel } from "../../core/log/record.ts";

/** Each one left out lets everything through. */
export interface FilterOptions {
  /** Names of modules, which stand for their workers too, or of workers. */
  readonly modules: readonly string[];
  readonly commands: readonly string[];
  readonly events: readonly EventId[];
  /** The least serious level. */
  readonly level?: LogLevel | undefined;
  /** The first millisecond, since the epoch. */
  readonly since?: number | undefined;
  /** The last one. */
  readonly until?: number | undefined;
}

export type Filter = (event: ParsedEvent) => boolean;

/** Lets through what fits in every respect; null where that is everything. */
export function makeFilter({ modules, commands, events, level, since, until }: FilterOptions): Filter | null {
  const filters: Filter[] = [];
  if (since !== undefined) filters.push(({ time }) => time >= since);
  if (until !== undefined) filters.push(({ time }) => time <= until);
  if (level !== undefined) filters.push((event) => isAtLeast(event.level, level));
  const ids = new Set<string>(events);
  if (ids.size > 0) filters.push(({ event }) => ids.has(event));
  const names = new Set(commands);
  if (names.size > 0) filters.push(({ fields }) => "command" in fields && names.has(fields.command ?? ""));
  if (modules.length > 0) filters.push((event) => namesOf(event).some((name) => isOneOf(name, modules)));
  return filters.length === 0 ? null : (event) => filters.every((fits) => fits(event));
}

/** Every process that an event is about: who writes, and who is called, cleaned or started. */
function namesOf({ module, fields }: ParsedEvent): string[] {
  const others = ["target", "process", "owner"].map((key): unknown => Reflect.get(fields, key));
  return [module, ...others.filter((name) => typeof name === "string")];
}

/** `Livestatus` stands for `Livestatus-1` too. */
function isOneOf(name: string, modules: readonly string[]): boolean {
  return modules.some((module) =>
    name === module || (name.startsWith(`${module}-`) && /^\d+$/.test(name.slice(module.length + 1)))
  );
}
