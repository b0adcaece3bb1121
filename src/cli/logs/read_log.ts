/**
 * Reading logs: bytes to lines, lines to events, and several logs merged by time.
 *
 * @module
 */

import process from "node:process";
import { joinBytes } from "../../core/bytes.ts";
import { LogReader } from "../../core/log/log_reader.ts";
import type { LogItem } from "../../core/log/parsed.ts";
import { ExitCode } from "../cli_error.ts";
import type { Log, Source } from "./open_logs.ts";

/** What was read of one source. */
export interface SourceFigures {
  readonly name: string;
  /** After unpacking. */
  readonly bytes: number;
  readonly lines: number;
  /** Why it could not be read to its end, or null. */
  readonly broken: string | null;
}

interface ReadEvents {
  /** Bytes that were read of a source, compressed ones where it is compressed. */
  readonly read: (bytes: number) => void;
  /** A source was read to its end, or as far as it could be. */
  readonly ended: (figures: SourceFigures) => void;
}

/** What is in `log`, in its order. An event may begin in one of its files and end in the next. */
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
      const next = await chunks.next().catch((error: unknown) =>
        String(error instanceof Error ? error.message : error)
      );
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

/** What is in `logs`, in the order of time; within a second, log by log. */
export async function* inOrder(logs: readonly Log[], events: ReadEvents): AsyncGenerator<readonly LogItem[]> {
  const waiting = logs.toSorted((a, b) => a.time - b.time);
  const open: Cursor[] = [];
  for (;;) {
    const [first, second] = open.toSorted((a, b) => a.time - b.time);
    const [next] = waiting;
    // One that begins later is not opened before its time: there may be more logs than files that can be open.
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

/** A log that is being read. */
class Cursor {
  readonly #batches: AsyncIterator<readonly LogItem[]>;
  #batch: readonly LogItem[] = [];
  #at = 0;
  /** Of its next item; a line that is no event's has the time of what is before it. */
  time = -Infinity;

  constructor(batches: AsyncIterator<readonly LogItem[]>) {
    this.#batches = batches;
  }

  /** Reads on where nothing is left. False at the end. */
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
    // Where a clock was set back, the log keeps its own order.
    if (next?.kind === "event" && next.time > this.time) this.time = next.time;
  }
}

/** Bytes of one line that are kept while its end has not come: a longer one is read in pieces. */
const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 10;

/** Bytes in chunks of any size to lines of text. Bytes that are no UTF-8 become U+FFFD. */
export class LineDecoder {
  // Chunks are cut at a line's end, since a decoder that keeps what stands between two chunks is half as fast.
  readonly #decoder = new TextDecoder();
  /** The beginning of a line whose end has not come. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  /** How many lines there were. */
  lines = 0;

  /** Calls `take` with each line that ends in `chunk`, without its line end. */
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

  /** Calls `take` with the last line, where it has no line end. */
  end(take: (line: string) => void): void {
    if (this.#restBytes === 0) return;
    const bytes = joinBytes(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    this.lines++;
    take(this.#decoder.decode(bytes));
  }

  #keep(part: Uint8Array, take: (line: string) => void): void {
    // A copy: the chunk is used again.
    this.#rest.push(part.slice());
    this.#restBytes += part.length;
    if (this.#restBytes > MAX_LINE_BYTES) this.end(take);
  }
}

/** What could be read was read; the exit code tells that it is not all. */
export function tellBroken(figures: readonly SourceFigures[]): number {
  let code: number = ExitCode.done;
  for (const { name, broken } of figures) {
    if (broken === null) continue;
    process.stderr.write(`Cannot read log "${name}" to its end: ${broken}\n`);
    code = ExitCode.usage;
  }
  return code;
}
