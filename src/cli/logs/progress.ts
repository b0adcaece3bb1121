/**
 * How far reading has come, on standard error, for people who wait.
 *
 * @module
 */

import process from "node:process";
import { count } from "./figures.ts";

const FIRST_MS = 1_000;
const AGAIN_MS = 200;
const BAR = 30;
/** To the beginning of the line, and clear what is behind it. */
const CLEAR = "\r\x1b[K";

export class Progress implements Disposable {
  readonly #total: number | null;
  readonly #isShown = process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
  readonly #started = performance.now();
  #next = FIRST_MS;
  #read = 0;
  #drawn = false;

  /** @param total bytes, or null where nobody knows. */
  constructor(total: number | null) {
    this.#total = total;
  }

  /** Draws again where it is time. */
  read(bytes: number): void {
    this.#read += bytes;
    if (!this.#isShown) return;
    const elapsed = performance.now() - this.#started;
    if (elapsed < this.#next) return;
    this.#next = elapsed + AGAIN_MS;
    this.#drawn = true;
    process.stderr.write(`${CLEAR}${progressText(this.#read, this.#total, elapsed)}`);
  }

  [Symbol.dispose](): void {
    if (this.#drawn) process.stderr.write(CLEAR);
    this.#drawn = false;
  }
}

export function progressText(read: number, total: number | null, ms: number): string {
  const megabytes = `${count(Math.floor(read / 1_000_000))} MB, ${Math.round(read / 1_000 / ms)} MB/s`;
  if (total === null || total === 0) return megabytes;
  const part = Math.min(1, read / total);
  const done = Math.floor(part * BAR);
  const left = part > 0 ? Math.ceil((ms / part - ms) / 1_000) : 0;
  return `[${"#".repeat(done)}${"-".repeat(BAR - done)}] ${Math.floor(part * 100)} %, ${megabytes}, ${left}s left`;
}
