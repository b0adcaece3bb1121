/**
 * Styles of the screen. Without colours nothing is lost: what is bad is marked too.
 *
 * @module
 */

import type { LogLevel } from "../../core/log/record.ts";
import type { ProcessState } from "../../core/supervise/states.ts";
import { bold, paint, paintLine, paintState } from "../paint.ts";

export class Style {
  readonly #colors: boolean;

  constructor(colors: boolean) {
    this.#colors = colors;
  }

  bold = (text: string): string => bold(text, this.#colors);
  dim = (text: string): string => paint(text, "2", this.#colors);
  red = (text: string): string => paint(text, "31", this.#colors);
  /** The line that keys act on: without it nobody would know which, so it is always there. */
  selected = (text: string): string => `\x1b[7m${text}\x1b[27m`;

  state(state: ProcessState, text: string): string {
    return paintState(text, state, this.#colors);
  }

  level(level: LogLevel, text: string): string {
    return paintLine(text, level, this.#colors);
  }
}
