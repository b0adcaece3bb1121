/** Text on a terminal: the colors of log lines and states, and a line without its prefix. */

import type { LogLevel, ProcessState } from "../../mod.ts";
import type { MemberState } from "../core/cluster/members.ts";

/** Numbers of SGR (ECMA-48). */
const STYLES = { none: "", bold: "1", dim: "2", red: "31", boldRed: "1;31", green: "32", yellow: "33", cyan: "36" };

type Style = keyof typeof STYLES;

const LEVELS: Readonly<Record<LogLevel, Style>> = {
  debug: "dim",
  info: "none",
  warning: "yellow",
  error: "red",
  fatal: "boldRed",
};

const STATES: Readonly<Record<ProcessState | MemberState, Style>> = {
  ready: "green",
  starting: "cyan",
  cleaning: "cyan",
  draining: "yellow",
  stopped: "yellow",
  backoff: "yellow",
  suspect: "yellow",
  leaving: "yellow",
  failed: "red",
  gone: "red",
  incompatible: "red",
};

/** A log line, or a part of it, in the color of its level. */
export function paintLine(line: string, level: LogLevel, colors: boolean): string {
  return paint(line, LEVELS[level], colors);
}

/** `text` in the color of a process' state, or of a member's of a cluster. */
export function paintState(text: string, state: ProcessState | MemberState, colors: boolean): string {
  return paint(text, STATES[state], colors);
}

export function bold(text: string, colors: boolean): string {
  return paint(text, "bold", colors);
}

export function paint(text: string, style: Style, colors: boolean): string {
  return colors && style !== "none" ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
}

/** A log line without the date, the level and the brackets of its prefix. */
export function operatorText(line: string): string {
  return line.replace(/^\[[^\]]*\] [A-Z]+ *: (?:\[ ?[^\]]* ?\] )*/, "");
}
