/** Progress on the last line of the terminal, which is overwritten. */

import { escapeText } from "../core/log/escape.ts";

/** Moves to the beginning of the line and clears it. */
const CLEAR = "\r\x1b[K";

export class ProgressLine implements Disposable {
  // Not before: the first look at it costs a process of Deno 12 ms, and the import of `node:process` one of Node 4 ms.
  readonly #process = globalThis.process;
  /** Whether standard error is a terminal. */
  isShown = this.#process.stderr.isTTY === true && this.#process.env["TERM"] !== "dumb";
  #drawn = false;

  show(text: string): void {
    if (!this.isShown) return;
    const room = (this.#process.stderr.columns ?? 80) - 1;
    this.#process.stderr.write(`${CLEAR}${escapeText(text).slice(0, room)}`);
    this.#drawn = true;
  }

  [Symbol.dispose](): void {
    if (this.#drawn) this.#process.stderr.write(CLEAR);
    // Later progress is not shown.
    this.isShown = false;
  }
}
