/** Progress on the last line of the terminal, which is overwritten. */

import type { ControlClient } from "../core/control/client.ts";
import { escapeText } from "../core/log/escape.ts";
import { EVENT_IDS } from "../core/log/events.ts";
import { operatorText } from "./colors.ts";

/** Not by `node:process`: to list what that exports, Node opens the three standard streams. */
const { process } = globalThis;

/** Moves to the beginning of the line and clears it. */
const CLEAR = "\r\x1b[K";

export class ProgressLine implements Disposable {
  /** Whether standard error is a terminal. */
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
    // Later progress is not shown.
    this.isShown = false;
  }
}

const STEPS = EVENT_IDS.filter((event) => event.startsWith("process.") && event !== "process.output");

/** Settles as `work` does, and shows each step of any process until then. */
export async function showSteps<T>(client: ControlClient, work: Promise<T>): Promise<T> {
  using line = new ProgressLine();
  const over = new AbortController();
  const show = async () => {
    for await (const { lines } of client.records({ events: STEPS }, over.signal)) {
      line.show(operatorText(lines[0] ?? ""));
    }
  };
  // The outcome counts even where the steps can't be shown.
  if (line.isShown) show().catch(() => {});
  try {
    return await work;
  } finally {
    over.abort();
  }
}
