/** Progress on the last line of the terminal, which is overwritten. */

import { escapeText } from "../core/log/escape.ts";

/** Moves to the beginning of the line and clears it. */
const CLEAR = "\r\x1b[K";

export class ProgressLine implements Disposable {
  #isShown: boolean | undefined;
  #drawn = false;

  /** Whether standard error is a terminal. */
  get isShown(): boolean {
    // Not before it is asked: the first look costs a process of Deno 12 ms, and the import of `node:process` one of Node 4 ms.
    const { process } = globalThis;
    return this.#isShown ??= process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
  }

  show(text: string): void {
    if (!this.isShown) return;
    const { stderr } = globalThis.process;
    stderr.write(`${CLEAR}${escapeText(text).slice(0, (stderr.columns ?? 80) - 1)}`);
    this.#drawn = true;
  }

  [Symbol.dispose](): void {
    if (this.#drawn) globalThis.process.stderr.write(CLEAR);
    // Later progress is not shown.
    this.#isShown = false;
  }
}
