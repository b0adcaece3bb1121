/** Reading logs: bytes to lines, lines to events, and several logs merged by time. */

import process from "node:process";
import { joinBytes } from "../../core/wire/frame.ts";
import { LogReader } from "../../core/log/log_reader.ts";
import type { LogItem } from "../../core/log/parse.ts";
import { messageOf } from "../../core/user_code.ts";
import { ExitCode } from "../exit_codes.ts";
import type { Log, Source } from "./open_logs.ts";

export interface SourceFigures {
  readonly name: string;
  /** After decompression. */
  readonly bytes: number;
  readonly lines: number;
  /** Why it could not be read to the end, or null. */
  readonly broken: string | null;
}

interface ReadEvents {
  /** Bytes were read from a source, before decompression. */
  readonly read: (bytes: number) => void;
  /** A source was read to the end, or as far as possible. */
  readonly ended: (figures: SourceFigures) => void;
}

/** The items of `log` in order. An event may begin in one file and end in the next. */
export async function* readLog(log: Log, events: ReadEvents): AsyncGenerator<readonly LogItem[]> {
  const reader = new LogReader();
  for (const source of log.sources) yield* readSource(source, reader, events);
  yield reader.end();
}

async function* readSource(source: Source, reader: LogReader, events: ReadEvents): AsyncGenerator<readonly LogItem[]> {
  reader.begin(source.name);
  const decoder = new LineDecoder();
  const chunks = source.chunks(events.read)[Symbol.asyncIterator]();
  let items: LogItem[] = [];
  const take = (line: string) => {
    for (const item of reader.push(line)) items.push(item);
  };
  let bytes = 0;
  let broken: string | null = null;
  try {
    for (;;) {
      const next = await chunks.next().catch(messageOf);
      if (typeof next === "string") broken = next;
      if (typeof next === "string" || next.done) break;
      bytes += next.value.length;
      decoder.push(next.value, take);
      yield items;
      items = [];
    }
  } finally {
    await chunks.return?.();
  }
  decoder.end(take);
  events.ended({ name: source.name, bytes, lines: decoder.lines, broken });
  yield items;
}

/** The items of `logs` in the order of time; within a second, log by log. */
export async function* inOrder(logs: readonly Log[], events: ReadEvents): AsyncGenerator<readonly LogItem[]> {
  const waiting = logs.toSorted((a, b) => a.time - b.time);
  const open: Cursor[] = [];
  for (;;) {
    const [first, second] = open.toSorted((a, b) => a.time - b.time);
    const [next] = waiting;
    // A log is opened only when its first record is due: there may be more logs than files can be open.
    if (next !== undefined && (first === undefined || next.time <= first.time)) {
      waiting.shift();
      const cursor = new Cursor(readLog(next, events));
      if (await cursor.fill()) open.push(cursor);
      continue;
    }
    if (first === undefined) return;
    yield first.takeUntil(Math.min(second?.time ?? Infinity, next?.time ?? Infinity));
    if (!await first.fill()) open.splice(open.indexOf(first), 1);
  }
}

/** The position in a log. */
class Cursor {
  readonly #batches: AsyncIterator<readonly LogItem[]>;
  #batch: readonly LogItem[] = [];
  #at = 0;
  /** Time of its next item; a line without an event has the time of the item before it. */
  time = -Infinity;

  constructor(batches: AsyncIterator<readonly LogItem[]>) {
    this.#batches = batches;
  }

  /** Reads the next batch when this one is used up. False at the end. */
  async fill(): Promise<boolean> {
    while (this.#at >= this.#batch.length) {
      const next = await this.#batches.next();
      if (next.done) return false;
      this.#batch = next.value;
      this.#at = 0;
    }
    this.#look();
    return true;
  }

  /** The items up to and including `time`, at least one. */
  takeUntil(time: number): LogItem[] {
    const taken: LogItem[] = [];
    for (let item = this.#batch[this.#at]; item !== undefined; item = this.#batch[this.#at]) {
      if (taken.length > 0 && this.time > time) break;
      taken.push(item);
      this.#at++;
      this.#look();
    }
    return taken;
  }

  #look(): void {
    const next = this.#batch[this.#at];
    // When clocks were set back, the log keeps its own order.
    if (next?.kind === "event" && next.time > this.time) this.time = next.time;
  }
}

/** The most bytes kept of an unfinished line; a longer one is split. */
const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 10;

/** Splits chunks of bytes into lines of text. Bytes that are not UTF-8 become U+FFFD. */
export class LineDecoder {
  // Chunks are cut at a line's end, since a decoder with `stream: true` is half as fast.
  readonly #decoder = new TextDecoder();
  /** The beginning of an unfinished line. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  /** Lines so far. */
  lines = 0;

  /** Calls `take` with each line that ends in `chunk`, without the newline. */
  push(chunk: Uint8Array, take: (line: string) => void): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return this.#keep(chunk, take);
    let from = 0;
    if (this.#restBytes > 0) {
      from = chunk.indexOf(NEWLINE) + 1;
      this.#keep(chunk.subarray(0, from - 1), take);
      this.end(take);
    }
    const text = this.#decoder.decode(chunk.subarray(from, end));
    for (let at = 0, stop = text.indexOf("\n"); stop !== -1; at = stop + 1, stop = text.indexOf("\n", at)) {
      this.lines++;
      take(text.slice(at, stop));
    }
    if (end < chunk.length) this.#keep(chunk.subarray(end), take);
  }

  /** Calls `take` with the last line if it has no newline. */
  end(take: (line: string) => void): void {
    if (this.#restBytes === 0) return;
    const bytes = joinBytes(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    this.lines++;
    take(this.#decoder.decode(bytes));
  }

  #keep(part: Uint8Array, take: (line: string) => void): void {
    // A copy, since the chunk's memory is used again.
    this.#rest.push(part.slice());
    this.#restBytes += part.length;
    if (this.#restBytes > MAX_LINE_BYTES) this.end(take);
  }
}

/** Reports what could not be read; the result is the exit code. */
export function tellBroken(figures: readonly SourceFigures[]): number {
  let code: number = ExitCode.done;
  for (const { name, broken } of figures) {
    if (broken === null) continue;
    process.stderr.write(`Cannot read log "${name}" to its end: ${broken}\n`);
    code = ExitCode.usage;
  }
  return code;
}
