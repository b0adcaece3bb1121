/**
 * Colours, for terminals only.
 *
 * @module
 */

import type { LogLevel } from "../../mod.ts";

const LEVEL_COLORS: Readonly<Record<LogLevel, string>> = {
  debug: "\x1b[2m",
  info: "",
  warning: "\x1b[33m",
  error: "\x1b[31m",
  fatal: "\x1b[1;31m",
};

/** An operator's line in the colour of its level. */
export function paintLine(line: string, level: LogLevel, colors: boolean): string {
  const color = LEVEL_COLORS[level];
  return colors && color !== "" ? `${color}${line}\x1b[0m` : line;
}

/** `text` in bold. */
export function bold(text: string, colors: boolean): string {
  return colors ? `\x1b[1m${text}\x1b[0m` : text;
}
