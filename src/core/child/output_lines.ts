/**
 * What a process prints on one of its streams, as lines: decoded, cut where they are too long, left out where they are too many, and
 * the last ones kept for the error of a crash.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { joinBytes } from "../bytes.ts";
import { guessLevel, type OutputLevel } from "./output_level.ts";
import type { OutputLimits } from "../module/process_settings.ts";

// As many as an uncaught error takes: the place, the message, its stack, the runtime's version.
const KEPT_LINES = 20;
/** As much is read in a second; then the process is held back, so that reading leaves time for the others' calls. */
const READ_BYTES = 4 * 1024 * 1024;
const WINDOW_MS = 1_000;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[\d;:]*m/g;
/** What decoding leaves of a character that was cut. */
const HALF_CHARACTER = /\ufffd{1,3}$/;

export interface OutputLinesOptions {
  readonly clock: Clock;
  readonly limits: OutputLimits;
  readonly line: (text: string, level: OutputLevel) => void;
  /** So many lines were left out within a second. */
  readonly dropped: (count: number) => void;
}

export class OutputLines {
  readonly #options: OutputLinesOptions;
  readonly #last: string[] = [];
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #cut = 0;
  #level: OutputLevel = "info";
  /** When the second ends in which lines and bytes are counted. */
  #windowEnd = -Infinity;
  #lines = 0;
  #read = 0;
  #dropped = 0;
  #clearTimer: (() => void) | undefined;
  #held: (() => void)[] = [];

  constructor(options: OutputLinesOptions) {
    this.#options = options;
  }

  /** The last lines, oldest first. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** @returns where there is too much: settles when the next chunk should be read. */
  push(chunk: Uint8Array): Promise<void> | undefined {
    this.#beginWindow();
    let from = 0;
    let kept = -1;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      if (this.#isFull && this.#bytes === 0) {
        // Decoding a flood that nobody will see takes the time of calls: of it only the end is kept.
        if (kept < 0) kept = endOfFlood(chunk);
        for (; end !== -1 && end < kept; end = chunk.indexOf(NEWLINE, from)) {
          this.#dropped++;
          from = end + 1;
        }
        if (end === -1) break;
      }
      this.#take(chunk.subarray(from, end));
      this.#emit();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    this.#read += chunk.length;
    if (this.#dropped > 0 || this.#read > READ_BYTES) this.#wake();
    return this.#read > READ_BYTES ? new Promise((resolve) => this.#held.push(resolve)) : undefined;
  }

  /** The stream has ended: what stands without a newline is a line too. */
  end(): void {
    if (this.#bytes > 0) this.#emit();
    this.#endWindow();
  }

  get #isFull(): boolean {
    return this.#lines >= this.#options.limits.maxLinesPerSecond;
  }

  #take(bytes: Uint8Array): void {
    const room = this.#options.limits.maxLineBytes - this.#bytes;
    if (bytes.length > room) this.#cut += bytes.length - room;
    if (room <= 0 || bytes.length === 0) return;
    this.#parts.push(new Uint8Array(bytes.subarray(0, room)));
    this.#bytes += Math.min(bytes.length, room);
  }

  #emit(): void {
    const text = this.#text();
    this.#parts = [];
    this.#bytes = 0;
    this.#cut = 0;
    this.#last.push(text);
    if (this.#last.length > KEPT_LINES) this.#last.shift();
    this.#level = guessLevel(text, this.#level);
    if (this.#isFull) {
      this.#dropped++;
      return;
    }
    this.#lines++;
    this.#options.line(text, this.#level);
  }

  #text(): string {
    const line = joinBytes(this.#parts);
    if (this.#cut > 0) {
      return `${this.#decode(line).replace(HALF_CHARACTER, "")}… (${this.#cut} bytes cut)`;
    }
    return this.#decode(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line);
  }

  #decode(line: Uint8Array): string {
    const text = this.#decoder.decode(line);
    return text.includes("\x1b") ? text.replace(COLOURS, "") : text;
  }

  #beginWindow(): void {
    const now = this.#options.clock.now();
    if (now < this.#windowEnd) return;
    this.#endWindow();
    this.#windowEnd = now + WINDOW_MS;
    this.#lines = 0;
    this.#read = 0;
  }

  #wake(): void {
    const { clock } = this.#options;
    this.#clearTimer ??= clock.timer(Math.max(0, this.#windowEnd - clock.now()), () => {
      // A clock of whole milliseconds may be a little early.
      this.#windowEnd = -Infinity;
      this.#endWindow();
    });
  }

  #endWindow(): void {
    this.#clearTimer?.();
    this.#clearTimer = undefined;
    const count = this.#dropped;
    this.#dropped = 0;
    if (count > 0) this.#options.dropped(count);
    for (const go of this.#held.splice(0)) go();
  }
}

/** Where the last lines of a chunk begin that are kept whatever was left out before them. */
function endOfFlood(chunk: Uint8Array): number {
  let at = chunk.length;
  for (let line = 0; line <= KEPT_LINES && at > 0; line++) at = chunk.lastIndexOf(NEWLINE, at - 1);
  return Math.max(0, at);
}
