/**
 * Levels, least serious first.
 *
 * @module
 */

/** How serious a record is, in rising order. */
export type LogLevel = "debug" | "info" | "warning" | "error" | "fatal";

export const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error", "fatal"];

/** Whether `level` is at least as serious as `least`. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** The level of that name, where it is one. */
export function levelFrom(name: unknown): LogLevel | undefined {
  return LEVELS.find((level) => level === name);
}
