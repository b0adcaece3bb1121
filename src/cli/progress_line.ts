/**
 * What a command tells of its progress, as one line of the terminal that is written over.
 *
 * @module
 */

import process from "node:process";
import { escapeText } from "../core/log/escape.ts";

/** To the beginning of the line, and clear what is behind it. */
const CLEAR = "\r\x1b[K";

export class ProgressLine implements Disposable {
  /** Whether there is a terminal to show it on. */
  isShown = process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
  #drawn = false;

  show(text: string): void {
    if (!this.isShown) return;
    const room = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`${CLEAR}${escapeText(text).slice(0, room)}`);
    this.#drawn = true;
  }

  [Symbol.dispose](): void {
    if (this.#drawn) process.stderr.write(CLEAR);
    // What comes late is not shown any more.
    this.isShown = false;
  }
}
