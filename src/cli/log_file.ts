/**
 * The file of `log.file`: buffers lines briefly, writes them in order, and rotates. Lines that can't be written are counted and
 * reported; the broker neither waits nor ends because of them.
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
import { joinBytes } from "../core/wire/frame.ts";
import { failureCode } from "../runtime/posix/failure_reason.ts";
import type { Clock } from "../runtime/runtime.ts";

/** How long a line may be buffered. */
const FLUSH_MS = 100;
/** A larger buffer is written at once. */
const FLUSH_BYTES = 64 * 1024;
/** For a full pipe: the interval of retries, how long it may take nothing, and how much may wait for it. */
const RETRY_MS = 5;
const PATIENCE_MS = 1_000;
const MAX_WAITING = 1024 * 1024;
/** A pipe takes up to this much whole or not at all (PIPE_BUF). Deno does not report a part that it wrote before the pipe was full. */
const MAX_PART = 4096;

export interface LogFileOptions {
  readonly clock: Clock;
  /** The file is rotated before it would exceed this size. */
  readonly maxBytes: number;
  /** How many rotated files are kept. */
  readonly keep: number;
  /** Called with the system's error; once until writing works again. */
  failed(doing: "write" | "rotate", error: unknown): void;
  /** Called when the file can be written again, with the number of lost lines. */
  lost(lines: number, error: unknown): void;
}

interface Open {
  readonly fd: number;
  readonly device: bigint;
  readonly inode: bigint;
  /** Only regular files can be rotated. */
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
  /** Whether the last line in the file lacks its newline. */
  #isTorn = false;
  /** For how long a pipe has been full, or null if it is not. */
  #stalledMs: number | null = null;

  /** @throws the system's error if the file can't be opened. */
  constructor(path: string, options: LogFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#open = open(path);
  }

  /** Lines lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes whole lines. If `urgent`, they are in the file on return. */
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

  /** Takes the buffer and clears the timer. */
  #take(): Uint8Array {
    this.#clear?.();
    this.#clear = undefined;
    const bytes = joinBytes(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  /** Keeps `rest` for a reader that may continue; false if it has been given up. */
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

  /** The file to write to: a new one if it was renamed or removed, or is to be rotated. */
  #current(bytes: number): Open {
    // As in standard_error.ts: the other form stops Node from following links where this is a pipe.
    const there = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (there?.ino !== this.#open?.inode || there?.dev !== this.#open?.device) this.#shut();
    // Another program may have truncated it.
    else if (this.#open !== undefined && there !== undefined) this.#open.size = Number(there.size);
    this.#open ??= open(this.#path);
    const { isFile, size } = this.#open;
    if (!isFile || size === 0 || size + bytes <= this.#options.maxBytes) return this.#open;
    try {
      rotate(this.#path, this.#options.keep);
      this.#keepsGrowing = false;
    } catch (error) {
      // Better an oversized file than none.
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
      // Buffered data could not be written; the next write reports it.
    }
  }
}

const NEWLINE = new Uint8Array([10]);
const STALLED = "its reader took nothing for 1s";

function open(path: string): Open {
  mkdirSync(dirname(path), { recursive: true });
  // Opening a pipe without a reader would block for ever.
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o666);
  const stats = fstatSync(fd, { bigint: true });
  return { fd, device: stats.dev, inode: stats.ino, isFile: stats.isFile(), size: Number(stats.size) };
}

/** Appends as much of `bytes` as the system takes, and reports the new size, also before it throws. */
function append({ fd, isFile, size }: Open, bytes: Uint8Array, grown: (size: number) => void): void {
  let written = 0;
  try {
    while (written < bytes.length) {
      const length = isFile ? bytes.length - written : Math.min(MAX_PART, bytes.length - written);
      written += writeSync(fd, bytes, written, length);
    }
    grown(size + written);
  } catch (error) {
    // Deno does not report what it wrote before the failure.
    grown(isFile ? fstatSync(fd).size : size + written);
    throw error;
  }
}

/** `broker.log` becomes `broker.log.1`, that one `.2`, and so on; the last one is replaced. A link is followed. */
function rotate(link: string, keep: number): void {
  const path = realpathSync(link);
  for (let number = keep - 1; number >= 1; number--) {
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  renameSync(path, `${path}.1`);
}

/** Counts lines; one that was written in part is lost. */
function linesOf(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => byte === 10 ? count + 1 : count, 0);
}
