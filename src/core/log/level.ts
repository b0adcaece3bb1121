/**
 * Levels, least serious first.
 *
 * @module
 */

import type { LogLevel } from "./record.ts";

export const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error", "fatal"];

/** Whether `level` is at least as serious as `least`. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** The level of that name, where it is one. */
export function levelFrom(name: unknown): LogLevel | undefined {
  return LEVELS.find((level) => level === name);
}
