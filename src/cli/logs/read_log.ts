/**
 * Reading a log from its first to its last line.
 *
 * @module
 */

import { LogReader } from "../../core/log/log_reader.ts";
import type { LogItem } from "../../core/log/parsed.ts";
import { LineDecoder } from "./line_decoder.ts";
import type { Log } from "./open_logs.ts";
import type { Source } from "./source.ts";

/** What was read of one source. */
export interface SourceFigures {
  readonly name: string;
  /** After unpacking. */
  readonly bytes: number;
  readonly lines: number;
  /** Why it could not be read to its end, or null. */
  readonly broken: string | null;
}

export interface ReadEvents {
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
