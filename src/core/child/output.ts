/**
 * What a process prints, on both of its streams: as lines, with a level guessed for each, limited, and the last ones kept for the
 * error of a crash.
 */

import type { Clock } from "../../runtime/runtime.ts";
import { joinBytes } from "../wire/frame.ts";
import type { OutputLimits } from "../settings/settings.ts";
import type { EventFields } from "../log/events.ts";
import type { LogLevel } from "../log/prefix.ts";

export type OutputLine = Pick<EventFields["process.output"], "stream" | "text" | "level">;

export interface OutputEvents {
  output(line: OutputLine): void;
  /** Something of the process was left out. */
  dropped(what: string, count: number): void;
}

export class ProcessOutput {
  readonly #stdout: OutputLines;
  readonly #stderr: OutputLines;
  #begin = () => {};
  /** Settles when there is a pid for the lines: a process may print before its parent knows that it runs. */
  #begun: Promise<void> | undefined = new Promise((resolve) => this.#begin = resolve);

  constructor(clock: Clock, { limits, events }: { limits: OutputLimits; events: OutputEvents }) {
    const lines = (stream: OutputLine["stream"]) =>
      new OutputLines({
        clock,
        limits,
        line: (text, level) => events.output({ stream, text, level }),
        dropped: (count) => events.dropped(`lines of ${stream} (limit: ${limits.maxLinesPerSecond} a second)`, count),
      });
    this.#stdout = lines("stdout");
    this.#stderr = lines("stderr");
  }

  /** The last lines of standard error, oldest first. */
  get lastLines(): string[] {
    return [...this.#stderr.last];
  }

  /** @returns where there is too much: settles when the stream should be read on. */
  push(stream: OutputLine["stream"], chunk: Uint8Array): Promise<void> | undefined {
    if (this.#begun !== undefined) return this.#begun.then(() => this.push(stream, chunk));
    return (stream === "stdout" ? this.#stdout : this.#stderr).push(chunk);
  }

  begin(): void {
    this.#begun = undefined;
    this.#begin();
  }

  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}

// As many as an uncaught error takes: the place, the message, its stack, the runtime's version.
const KEPT_LINES = 20;
/** Bytes that are read in a second; then the process has to wait, so that reading leaves time for calls. */
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
  readonly dropped: (count: number) => void;
}

/** One stream as lines: decoded, cut where they are too long, left out where they are too many. */
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
        // Decoding a flood that nobody will see takes the time of calls: only its end is kept.
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

  /** The stream has ended: the rest without a newline is a line too. */
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

/** FATAL is brokkr's own: a module that will not be started again. */
export type OutputLevel = Exclude<LogLevel, "fatal">;

const HEAD = 120;

const LEVELS: ReadonlyMap<string, OutputLevel> = new Map([
  ...words("debug", "trace debug verbose silly finest finer fine"),
  ...words("info", "info information notice log"),
  ...words("warning", "warn warning"),
  ...words("error", "error err severe critical crit fatal alert emerg emergency panic"),
]);
const WORD = [...LEVELS.keys()].filter((word) => word !== "log").join("|");

// <4>…, as for systemd and syslog: the lowest three bits are the severity.
const SYSLOG = /^<(\d{1,3})>/;
// {"level":"warn", …} or {"level":40, …}, of pino, bunyan, zap, slog, winston.
const JSON_LEVEL = /^\s*\{.*?"(?:level|lvl|severity|log\.level)"\s*:\s*(?:"(\w+)"|(\d+))/i;
// level=warn, of logfmt.
const PAIR = /(?:^|\s)(?:level|lvl|severity)=["']?(\w+)/i;
// [error], [ WARN ]
const BRACKETS = new RegExp(`\\[\\s*(${WORD})\\s*\\]`, "i");
// 2021-10-11 06:10:52 ERROR …, ERROR:root:…
const CAPITALS = new RegExp(`(?:^|[\\s|(-])(${WORD.toUpperCase()})(?=$|[\\s:|)!-])`);
// error: …, npm warn …, (node:7) Warning: …, app.js: error: …
const LABEL = new RegExp(`^(?:\\S+\\s){0,2}(${WORD})(?:\\[\\w+\\])?:(?:\\s|$)`, "i");
const NPM = /^npm (warn|err)/i;
// TypeError: …, Uncaught RangeError: …, java.io.IOException: …, and what comes before one.
const THROWN =
  /^(?:(?:Uncaught |Unhandled |Exception in thread "[^"]*" )?(?:[\w$]+\.)*(?:[A-Z]\w*)?(?:Error|Exception)(?::|$|\s\[)|Traceback \(most recent call last\)|thread '.*' panicked at|panic: |Segmentation fault|Killed$)/;
// (node:7) DeprecationWarning: …, UserWarning: …
const WARNED = /^(?:\S+\s){0,2}[A-Z]\w*Warning:\s/;
/** A line of a stack or of a message that goes on: as serious as the one before it. */
const CONTINUED = /^(?:\s+\S|\.\.\. \d+ more|Caused by: )/;

/**
 * How serious a printed line is, by the forms that programs commonly write. A guess: what has none of them is INFO.
 *
 * @param previous level of the line before, of the same stream.
 */
export function guessLevel(text: string, previous: OutputLevel): OutputLevel {
  const head = text.slice(0, HEAD);
  const syslog = SYSLOG.exec(head)?.[1];
  if (syslog !== undefined) return bySeverity(Number(syslog) % 8);
  const [isJson, word, number] = JSON_LEVEL.exec(text.slice(0, 1_000)) ?? [];
  if (isJson !== undefined) return number === undefined ? byWord(word) : byNumber(Number(number));
  const found = PAIR.exec(text.slice(0, 1_000)) ?? BRACKETS.exec(head) ?? CAPITALS.exec(head) ?? LABEL.exec(head) ??
    NPM.exec(head);
  if (found !== null) return byWord(found[1]);
  if (THROWN.test(head)) return "error";
  if (WARNED.test(head)) return "warning";
  return CONTINUED.test(head) ? previous : "info";
}

function words(level: OutputLevel, text: string): (readonly [string, OutputLevel])[] {
  return text.split(" ").map((word) => [word, level] as const);
}

function byWord(word: string | undefined): OutputLevel {
  return LEVELS.get((word ?? "").toLowerCase()) ?? "info";
}

/** As pino and bunyan count: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function byNumber(level: number): OutputLevel {
  if (level >= 50) return "error";
  if (level >= 40) return "warning";
  return level >= 30 || level < 10 ? "info" : "debug";
}

function bySeverity(severity: number): OutputLevel {
  if (severity <= 3) return "error";
  if (severity === 4) return "warning";
  return severity === 7 ? "debug" : "info";
}
