import type { Runtime } from "../runtime.ts";
import { engineTimer } from "./clock.ts";
import { failureCode } from "./failure_reason.ts";

/** How long after it found no room a text is tried again. */
const RETRY_MS = 1;
/** How long a reader may take nothing before it is given up. */
const PATIENCE_MS = 1_000;
/** How often a reader that was given up is tried: it may be back. */
const PROBE_MS = 1_000;
/** So much waits for a reader; what comes beyond it is lost. */
const MAX_WAITING = 1024 * 1024;
/** With more than this on its way, a writer waits for the reader: one that reads as fast as it can loses nothing. */
const MANY_WAITING = 256 * 1024;
/** So long a writer waits in all, until nothing is on its way. Nothing waits longer for a reader. */
const MAX_PAUSES_MS = 100;

/** A pipe takes so much whole or not at all. Deno does not report a part that it wrote before the room ran out. */
const MAX_PART = 4096;

export interface StandardErrorOptions {
  /** Takes some of the bytes, or throws where there is no room. It must not block. */
  readonly write: (bytes: Uint8Array) => number;
  /** Calls `fn` later, in a process that lives that long. */
  readonly later: (ms: number, fn: () => void) => void;
  /** Blocks for `ms`. */
  readonly pause: (ms: number) => void;
  /** Something waits for the first time: `finish` must be called before this process ends. */
  readonly waiting: () => void;
}

/**
 * Texts on their way to standard error, in order. They are written at once where the reader has room. For one that stalls they
 * wait in the background until it is given up: what comes until it is back is dropped, counted and reported.
 */
export class StandardError {
  readonly #options: StandardErrorOptions;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Part of the first text is written. */
  #isTorn = false;
  #hasWaited = false;
  #isScheduled = false;
  /** How long the reader has taken nothing. Counted in waits: in a process that was stopped it does not grow. */
  #stalledMs = 0;
  #pausesMs = 0;
  #lost = 0;
  #reason = "";
  /** Lines are lost and the reader is back. */
  onLost: (lines: number, reason: string) => void = () => {};

  constructor(options: StandardErrorOptions) {
    this.#options = options;
  }

  /** Writes `text`, which ends with a line end, now or as soon as there is room. Never throws. */
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if ((this.#lost > 0 && !this.#resume()) || this.#waitingBytes + bytes.length > MAX_WAITING) {
      this.#lose([bytes], this.#reason || FULL);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#flush();
    for (; this.#waitingBytes > MANY_WAITING && this.#pausesMs < MAX_PAUSES_MS; this.#pausesMs++) this.#pause();
  }

  /** Writes what waits, before the end of this process: a reader that has not been given up gets its second. */
  finish(): void {
    while (!this.#resume() && this.#stalledMs < PATIENCE_MS && this.#waitingBytes > 0) this.#pause();
  }

  #pause(): void {
    this.#options.pause(RETRY_MS);
    this.#waited(RETRY_MS);
  }

  #waited(ms: number): void {
    if (this.#resume()) return;
    this.#stalledMs += ms;
    if (this.#stalledMs >= PATIENCE_MS) this.#giveUp(STALLED);
  }

  /** True when nothing waits any more. */
  #flush(): boolean {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const written = this.#attempt(first);
      if (written === 0) return false;
      this.#waitingBytes -= written;
      this.#isTorn = written < first.length;
      if (this.#isTorn) this.#waiting[0] = first.subarray(written);
      else this.#waiting.shift();
    }
    this.#pausesMs = 0;
    return true;
  }

  /** How many bytes were written. 0 means no room now, or no reader: then what waits is lost. */
  #attempt(bytes: Uint8Array): number {
    try {
      const written = this.#options.write(bytes.length > MAX_PART ? bytes.subarray(0, MAX_PART) : bytes);
      if (written > 0) this.#stalledMs = 0;
      else this.#full();
      return written;
    } catch (error) {
      if (isFull(error)) this.#full();
      else this.#giveUp(failureCode(error) ?? String(error));
      return 0;
    }
  }

  #full(): void {
    if (!this.#hasWaited) this.#options.waiting();
    this.#hasWaited = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const ms = this.#stalledMs < PATIENCE_MS ? RETRY_MS : PROBE_MS;
    this.#options.later(ms, () => {
      this.#isScheduled = false;
      this.#waited(ms);
    });
  }

  /** Everything that waits is lost, but for the rest of a line that is half out. */
  #giveUp(reason: string): void {
    const [first] = this.#waiting;
    const rest = this.#isTorn && first !== undefined ? first.subarray(0, first.indexOf(NEWLINE) + 1) : NOTHING;
    const lost = this.#waiting;
    if (first !== undefined) lost[0] = first.subarray(rest.length);
    this.#waiting = rest.length > 0 ? [rest] : [];
    this.#waitingBytes = rest.length;
    this.#lose(lost, reason);
  }

  #lose(texts: readonly Uint8Array[], reason: string): void {
    for (const bytes of texts) for (const byte of bytes) if (byte === NEWLINE) this.#lost++;
    this.#reason = reason;
  }

  /** True when nothing waits and nothing is lost without a word. */
  #resume(): boolean {
    if (!this.#flush()) return false;
    if (this.#lost === 0) return true;
    const [lost, reason] = [this.#lost, this.#reason];
    const notice = new TextEncoder().encode(
      `brokkr: ${lost} lines are lost, standard error could not be written: ${reason}\n`,
    );
    const written = this.#attempt(notice);
    if (written === 0) return false;
    [this.#lost, this.#reason] = [0, ""];
    this.#isTorn = written < notice.length;
    if (this.#isTorn) this.#waiting.push(notice.subarray(written));
    this.#waitingBytes += notice.length - written;
    this.onLost(lost, reason);
    return this.#lost === 0;
  }
}

const NEWLINE = 10;
const NOTHING = new Uint8Array();
const STALLED = "its reader took nothing for 1s";
const FULL = "its reader is too slow";

function isFull(error: unknown): boolean {
  return failureCode(error) === "EAGAIN" || (error instanceof Error && error.name === "WouldBlock");
}

/**
 * Standard error of this process, opened with the first line: `open` gives what writes as the runtime has it, `beforeEnd` calls a function
 * before the end of the process.
 */
export function standardErrorOf(
  open: () => StandardErrorOptions["write"],
  beforeEnd: (fn: () => void) => void,
): Required<Pick<Runtime, "writeError" | "whenErrorLost">> {
  let opened: StandardError | undefined;
  const error = (): StandardError =>
    opened ??= new StandardError({
      write: open(),
      // A reader that stalls keeps no process alive.
      later: engineTimer,
      pause: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
      waiting: () => beforeEnd(() => error().finish()),
    });
  return { writeError: (text) => error().write(text), whenErrorLost: (fn) => void (error().onLost = fn) };
}

/** The part of `node:fs` that this needs. */
interface FileSystem {
  readonly constants: { readonly O_WRONLY: number; readonly O_NONBLOCK: number; readonly O_NOCTTY: number };
  fstatSync(
    fd: number,
    options: { readonly bigint: true },
  ): { isFIFO(): boolean; isCharacterDevice(): boolean; isFile(): boolean };
  openSync(path: string, flags: number): number;
}

/**
 * A descriptor that leads to where standard error does, and never blocks. A pipe or terminal is opened anew: the mode of descriptor 2 is
 * one with that of every process that writes there. A file never stalls. `unblock` lets the runtime set the mode of descriptor 2 where
 * nothing else is possible: for a socket, or where another user owns the pipe.
 */
export function unblockedError({ constants, fstatSync, openSync }: FileSystem, unblock: () => void): number {
  // Node follows no link to a module any more once its last other look was at a pipe: nodejs/node lib/fs.js, realpathSync().
  const stats = fstatSync(2, { bigint: true });
  if (stats.isFile()) return 2;
  try {
    if (stats.isFIFO() || stats.isCharacterDevice()) {
      return openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    }
  } catch {
    // Not Linux, or not this user's.
  }
  unblock();
  return 2;
}
