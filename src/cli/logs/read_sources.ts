/**
 * Reading sources from their first to their last line.
 *
 * @module
 */

import { LogReader } from "../../core/log/log_reader.ts";
import type { LogItem } from "../../core/log/parsed.ts";
import { LineDecoder } from "./line_decoder.ts";
import type { Source } from "./source.ts";

/** How long reading may keep the process from all else: signals, and what is shown of its progress. */
const BUSY_MS = 50;

/** What was read of one source. */
export interface SourceFigures {
  readonly name: string;
  /** After unpacking. */
  readonly bytes: number;
  readonly lines: number;
  /** Why it could not be read to its end, or null. */
  readonly broken: string | null;
}

/** Who reads. */
export interface ReadEvents {
  readonly item: (item: LogItem) => void;
  /** Bytes that were read of a source, compressed ones where it is compressed. */
  readonly read?: (bytes: number) => void;
  /** What was read so far has to be handed on; asked for every {@link BUSY_MS}. False ends the reading. */
  readonly pause: () => Promise<boolean>;
}

/** Reads all of `sources`, one after the other, as one log: an event may begin in a file and end in the one that follows it. */
export async function readSources(sources: readonly Source[], events: ReadEvents): Promise<SourceFigures[]> {
  const reader = new LogReader();
  const figures: SourceFigures[] = [];
  const take = (line: string) => {
    for (const item of reader.push(line)) events.item(item);
  };
  let rested = performance.now();
  for (const source of sources) {
    const decoder = new LineDecoder();
    let bytes = 0;
    let broken: string | null = null;
    try {
      for await (const chunk of source.chunks((count) => events.read?.(count))) {
        bytes += chunk.length;
        decoder.push(chunk, take);
        if (performance.now() - rested < BUSY_MS) continue;
        if (!await events.pause()) return figures;
        rested = performance.now();
      }
    } catch (error) {
      broken = error instanceof Error ? error.message : String(error);
    }
    decoder.end(take);
    figures.push({ name: source.name, bytes, lines: decoder.lines, broken });
  }
  for (const item of reader.end()) events.item(item);
  await events.pause();
  return figures;
}
