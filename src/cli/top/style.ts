/**
 * Styles of the screen. Without colours nothing is lost: what is bad is marked too.
 *
 * @module
 */

import type { LogLevel } from "../../core/log/record.ts";
import type { ProcessState } from "../../core/supervise/states.ts";

export class Style {
  readonly #colors: boolean;

  constructor(colors: boolean) {
    this.#colors = colors;
  }

  bold = (text: string): string => this.#with("1", text);
  dim = (text: string): string => this.#with("2", text);
  red = (text: string): string => this.#with("31", text);
  /** The line that keys act on: without it nobody would know which, so it is always there. */
  selected = (text: string): string => `\x1b[7m${text}\x1b[27m`;

  state(state: ProcessState, text: string): string {
    return this.#with(STATES[state], text);
  }

  level(level: LogLevel, text: string): string {
    return this.#with(LEVELS[level], text);
  }

  #with(code: string, text: string): string {
    return this.#colors && code !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

const STATES: Readonly<Record<ProcessState, string>> = {
  ready: "32",
  starting: "36",
  cleaning: "36",
  draining: "33",
  stopped: "33",
  backoff: "33",
  failed: "31",
};

const LEVELS: Readonly<Record<LogLevel, string>> = { debug: "2", info: "", warning: "33", error: "31", fatal: "1;31" };

/** Exactly `width` characters, cut with an ellipsis where it is longer. */
export function fit(text: string, width: number): string {
  if (text.length <= width) return text.padEnd(width);
  return width <= 0 ? "" : `${text.slice(0, width - 1)}…`;
}
