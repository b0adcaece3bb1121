/**
 * The file of `log.file`: lines are gathered for a moment, written in order, and rotated. What can't be written is counted and
 * told; the broker never waits for it and never ends for it.
 *
 * @module
 */

import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { joinBytes } from "../core/bytes.ts";
import type { Clock } from "../runtime/runtime.ts";

/** How long a line may wait for its way into the file. */
const FLUSH_MS = 100;
/** What is not written by then is written at once. */
const FLUSH_BYTES = 64 * 1024;

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
    if (urgent || this.#waitingBytes >= FLUSH_BYTES) this.#flush();
    else this.#clear ??= this.#options.clock.timer(FLUSH_MS, () => this.#flush());
  }

  close(): void {
    this.#flush();
    this.#shut();
  }

  #flush(): void {
    this.#clear?.();
    this.#clear = undefined;
    const chunks = this.#waiting;
    if (chunks.length === 0) return;
    const mended = this.#isTorn ? [NEWLINE] : [];
    const bytes = joinBytes([...mended, ...chunks]);
    this.#waiting = [];
    this.#waitingBytes = 0;
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
      this.#missed(linesOf(bytes.subarray(Math.max(written, mended.length))), error);
      return;
    }
    this.#worked();
  }

  #missed(lines: number, error: unknown): void {
    const isFirst = this.#lost === 0;
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
    if (this.#open !== undefined && inodeAt(this.#path) !== this.#open.inode) this.#shut();
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

function open(path: string): Open {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "a");
  const stats = fstatSync(fd);
  return { fd, inode: stats.ino, isFile: stats.isFile(), size: stats.size };
}

/** Appends as much of `bytes` as the system takes, and says how long the file is then, also before it throws. */
function append({ fd, isFile, size }: Open, bytes: Uint8Array, grown: (size: number) => void): void {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
    grown(size + written);
  } catch (error) {
    // Deno does not tell of what it wrote before the failure.
    grown(isFile ? fstatSync(fd).size : size + written);
    throw error;
  }
}

function inodeAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** `broker.log` becomes `broker.log.1`, that one `.2`, and so on; the last one is replaced. */
function rotate(path: string, keep: number): void {
  for (let number = keep - 1; number >= 1; number--) {
    if (inodeAt(`${path}.${number}`) !== null) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  renameSync(path, `${path}.1`);
}

/** A line of which only a part is missing is missing. */
function linesOf(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => byte === 10 ? count + 1 : count, 0);
}
