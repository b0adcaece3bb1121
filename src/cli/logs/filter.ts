/** Which events `brokkr logs` selects. */

import type { ParsedEvent } from "../../core/log/parse.ts";
import type { EventId } from "../../core/log/events.ts";
import { isAtLeast, type LogLevel } from "../../core/log/prefix.ts";
import type { LogTime } from "../log_time.ts";

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
