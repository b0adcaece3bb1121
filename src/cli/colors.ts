/** Log lines and states on a terminal: their colors, and the text of a line without its prefix. */

import type { LogLevel, ProcessState } from "../../mod.ts";

const LEVELS: Readonly<Record<LogLevel, string>> = { debug: "2", info: "", warning: "33", error: "31", fatal: "1;31" };

const STATES: Readonly<Record<ProcessState, string>> = {
  ready: "32",
  starting: "36",
  cleaning: "36",
  draining: "33",
  stopped: "33",
  backoff: "33",
  failed: "31",
};

/** A log line, or a part of it, in the color of its level. */
export function paintLine(line: string, level: LogLevel, colors: boolean): string {
  return paint(line, LEVELS[level], colors);
}

/** `text` in the color of a process' state. */
export function paintState(text: string, state: ProcessState, colors: boolean): string {
  return paint(text, STATES[state], colors);
}

/** `text` in bold. */
export function bold(text: string, colors: boolean): string {
  return paint(text, "1", colors);
}

/** @param style numbers of SGR (ECMA-48), or empty. */
export function paint(text: string, style: string, colors: boolean): string {
  return colors && style !== "" ? `\x1b[${style}m${text}\x1b[0m` : text;
}

/** A log line without the date, the level and the brackets of its prefix. */
export function operatorText(line: string): string {
  return line.replace(/^\[[^\]]*\] [A-Z]+ *: (?:\[ ?[^\]]* ?\] )*/, "");
}

export class Style {
  readonly #colors: boolean;

  constructor(colors: boolean) {
    this.#colors = colors;
  }

  bold = (text: string): string => bold(text, this.#colors);
  dim = (text: string): string => paint(text, "2", this.#colors);
  red = (text: string): string => paint(text, "31", this.#colors);
  /** Marks the line that keys act on, so it works without colors too. */
  selected = (text: string): string => `\x1b[7m${text}\x1b[27m`;

  state(state: ProcessState, text: string): string {
    return paintState(text, state, this.#colors);
  }

  level(level: LogLevel, text: string): string {
    return paintLine(text, level, this.#colors);
  }
}
