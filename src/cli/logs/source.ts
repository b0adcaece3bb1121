/**
 * What is read: files, also compressed ones, and standard input.
 *
 * @module
 */

import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { gunzip, isGzip } from "./gunzip.ts";

/** More at once would leave the processor's cache, and is slower. */
const CHUNK_BYTES = 65_536;

/** A file or standard input, as chunks of bytes. A chunk is valid until the next one is asked for. */
export interface Source {
  /** As it was given. */
  readonly name: string;
  /** On the disk, compressed or not; null where it can't be known. */
  readonly bytes: number | null;
  /** @param read is told how many bytes of {@link bytes} were read. */
  chunks(read: (bytes: number) => void): AsyncIterable<Uint8Array>;
}

export function fileSource(name: string, bytes: number, head: Uint8Array): Source {
  return { name, bytes, chunks: (read) => isGzip(head) ? gunzipped(name, read) : plain(name, read) };
}

/** A stream whose first chunks were taken to look at. */
export function streamSource(name: string, first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): Source {
  return {
    name,
    bytes: null,
    async *chunks(read) {
      for (const chunk of first) {
        read(chunk.length);
        yield chunk;
      }
      for (let next = await rest.next(); !next.done; next = await rest.next()) {
        read(next.value.length);
        yield next.value;
      }
    },
  };
}

/** What `stream` gives, unpacked where it is gzip. */
export async function* unpacked(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = stream[Symbol.asyncIterator]();
  const first = await input.next();
  if (first.done) return;
  const all = async function* () {
    yield first.value;
    for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
  };
  if (isGzip(first.value)) yield* gunzip(all());
  else yield* all();
}

/** Read at once: to wait for each chunk costs more than the chunk. */
async function* plain(name: string, read: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const file = openSync(name, "r");
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const got = readSync(file, buffer);
      if (got === 0) return;
      read(got);
      yield buffer.subarray(0, got);
    }
  } finally {
    closeSync(file);
  }
}

async function* gunzipped(name: string, read: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const compressed = createReadStream(name, { highWaterMark: CHUNK_BYTES });
  const counted = async function* () {
    for await (const chunk of compressed) {
      read(chunk.length);
      yield chunk;
    }
  };
  try {
    yield* gunzip(counted());
  } finally {
    compressed.destroy();
  }
}
