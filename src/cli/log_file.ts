/**
 * The file of `log.file`: lines are gathered for a moment, written in order, and rotated. What can't be written is counted and
 * told; the broker never waits for it and never ends for it.
 *
 * @module
 */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { joinBytes } from "../core/bytes.ts";
import { failureCode } from "../runtime/posix/failure_reason.ts";
import type { Clock } from "../runtime/runtime.ts";

/** How long a line may wait for its way into the file. */
const FLUSH_MS = 100;
/** What is not written by then is written at once. */
const FLUSH_BYTES = 64 * 1024;
/** How soon a pipe without room is tried again, how long it may take nothing, and how much may wait for it. */
const RETRY_MS = 5;
const PATIENCE_MS = 1_000;
const MAX_WAITING = 1024 * 1024;
/** A pipe takes so much whole or not at all. Deno does not tell of a part that it wrote before there was no more room. */
const MAX_PART = 4096;

export interface LogFileOptions {
  readonly clock: Clock;
  /** The file is renamed before it would have more. */
  readonly maxBytes: number;
  /** How many renamed files are kept. */
  readonly keep: number;
  /** Told with the system's error: once until it works again. */
  failed(doing: "write" | "rotate", error: unknown): void;
  /** The file can be written again; that many lines never came into it. */
  lost(lines: number, error: unknown): void;
}

interface Open {
  readonly fd: number;
  readonly device: number;
  readonly inode: number;
  /** Only what has an end can be rotated. */
  readonly isFile: boolean;
  size: number;
}

export class LogFile {
  readonly #path: string;
  readonly #options: LogFileOptions;
  #open: Open | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #clear: (() => void) | undefined;
  #lost = 0;
  #error: unknown;
  #keepsGrowing = false;
  /** The last line in the file has no end. */
  #isTorn = false;
  /** How long a pipe has had no room, or null where it has. */
  #stalledMs: number | null = null;

  /** @throws what the system says where the file can't be opened. */
  constructor(path: string, options: LogFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#open = open(path);
  }

  /** Lines that never came into the file so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes whole lines. With `urgent` they are in the file when this returns. */
  write(text: string, urgent: boolean): void {
    const bytes = new TextEncoder().encode(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#stalledMs !== null && this.#waitingBytes <= MAX_WAITING) return;
    if (urgent || this.#waitingBytes >= FLUSH_BYTES) this.#flush();
    else this.#clear ??= this.#options.clock.timer(FLUSH_MS, () => this.#flush());
  }

  close(): void {
    this.#flush();
    if (this.#stalledMs !== null) this.#missed(linesOf(this.#take()), new Error(STALLED));
    this.#shut();
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const mended = this.#isTorn && this.#stalledMs === null ? [NEWLINE] : [];
    const bytes = joinBytes([...mended, this.#take()]);
    let written = 0;
    try {
      const file = this.#current(bytes.length);
      const before = file.size;
      append(file, bytes, (size) => {
        file.size = size;
        written = size - before;
      });
      this.#isTorn = false;
    } catch (error) {
      if (written > 0) this.#isTorn = bytes[written - 1] !== NEWLINE[0];
      const rest = bytes.subarray(Math.max(written, mended.length));
      if (failureCode(error) !== "EAGAIN") this.#missed(linesOf(rest), error);
      else if (!this.#waits(rest, written > 0)) this.#missed(linesOf(rest), new Error(STALLED, { cause: error }));
      return;
    }
    this.#stalledMs = null;
    this.#worked();
  }

  /** Takes what waits, and lets no timer write it. */
  #take(): Uint8Array {
    this.#clear?.();
    this.#clear = undefined;
    const bytes = joinBytes(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  /** Keeps `rest` for a reader that may read on; false for one that has been given up. */
  #waits(rest: Uint8Array, hasRead: boolean): boolean {
    const stalledMs = hasRead || this.#stalledMs === null ? 0 : this.#stalledMs + RETRY_MS;
    if (this.#lost > 0 || stalledMs > PATIENCE_MS || rest.length > MAX_WAITING) return false;
    this.#stalledMs = stalledMs;
    this.#waiting = [rest];
    this.#waitingBytes = rest.length;
    this.#clear = this.#options.clock.timer(RETRY_MS, () => this.#flush());
    return true;
  }

  #missed(lines: number, error: unknown): void {
    const isFirst = this.#lost === 0;
    this.#stalledMs = null;
    this.#lost += lines;
    this.#error = error;
    this.#shut();
    if (isFirst) this.#options.failed("write", error);
  }

  #worked(): void {
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#options.lost(lost, this.#error);
  }

  /** The file to write to: another one where somebody has renamed or removed it, or where it has become too large. */
  #current(bytes: number): Open {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there?.ino !== this.#open?.inode || there?.dev !== this.#open?.device) this.#shut();
    // Another program may have truncated it.
    else if (this.#open !== undefined && there !== undefined) this.#open.size = there.size;
    this.#open ??= open(this.#path);
    const { isFile, size } = this.#open;
    if (!isFile || size === 0 || size + bytes <= this.#options.maxBytes) return this.#open;
    try {
      rotate(this.#path, this.#options.keep);
      this.#keepsGrowing = false;
    } catch (error) {
      // A file that is too large is better than no file.
      if (!this.#keepsGrowing) this.#options.failed("rotate", error);
      this.#keepsGrowing = true;
      return this.#open;
    }
    this.#shut();
    this.#isTorn = false;
    return this.#open = open(this.#path);
  }

  #shut(): void {
    const file = this.#open;
    this.#open = undefined;
    if (file === undefined) return;
    try {
      closeSync(file.fd);
    } catch {
      // What it held back could not be written, which the next write tells.
    }
  }
}

const NEWLINE = new Uint8Array([10]);
const STALLED = "its reader took nothing for 1s";

function open(path: string): Open {
  mkdirSync(dirname(path), { recursive: true });
  // A pipe without a reader would hold this process for ever.
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o666);
  const stats = fstatSync(fd);
  return { fd, device: stats.dev, inode: stats.ino, isFile: stats.isFile(), size: stats.size };
}

/** Appends as much of `bytes` as the system takes, and says how long the file is then, also before it throws. */
function append({ fd, isFile, size }: Open, bytes: Uint8Array, grown: (size: number) => void): void {
  let written = 0;
  try {
    while (written < bytes.length) {
      const length = isFile ? bytes.length - written : Math.min(MAX_PART, bytes.length - written);
      written += writeSync(fd, bytes, written, length);
    }
    grown(size + written);
  } catch (error) {
    // Deno does not tell of what it wrote before the failure.
    grown(isFile ? fstatSync(fd).size : size + written);
    throw error;
  }
}

/** `broker.log` becomes `broker.log.1`, that one `.2`, and so on; the last one is replaced. Of a link it is the file that it leads to. */
function rotate(link: string, keep: number): void {
  const path = realpathSync(link);
  for (let number = keep - 1; number >= 1; number--) {
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  renameSync(path, `${path}.1`);
}

/** A line of which only a part is missing is missing. */
function linesOf(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => byte === 10 ? count + 1 : count, 0);
}
