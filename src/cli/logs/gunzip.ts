/**
 * Decompresses gzip (RFC 1952) as far as it is intact. The runtimes' own gunzip yields nothing if other bytes follow, as in a file
 * that was appended to after it was compressed.
 */

import { crc32, createInflateRaw, type InflateRaw } from "node:zlib";
import { joinBytes } from "../../core/wire/frame.ts";

const OUTPUT_BYTES = 65_536;
/** On an error, the output of at most this many bytes is lost. */
const PIECE_BYTES = 8_192;
const MAGIC = [0x1f, 0x8b];
const HAS_CHECKSUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;

export function isGzip(head: Uint8Array): boolean {
  return MAGIC.every((byte, index) => head[index] === byte);
}

/** @throws {Error} after all that could be decompressed, if it is incomplete. */
export async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(chunks);
  for (let isFirst = true; await beginsMember(input, isFirst); isFirst = false) {
    await skipHeader(input);
    let [checksum, bytes] = [0, 0];
    for await (const part of inflated(input)) {
      checksum = crc32(part, checksum);
      bytes += part.length;
      yield part;
    }
    const trailer = await input.take(8);
    const view = new DataView(trailer.buffer, trailer.byteOffset);
    if (view.getUint32(0, true) !== checksum) throw new Error("incorrect data check");
    if (view.getUint32(4, true) !== bytes % 2 ** 32) throw new Error("incorrect length check");
  }
}

/** False at the end. Zeros after the last member are padding. */
async function beginsMember(input: Input, isFirst: boolean): Promise<boolean> {
  let head = await input.look(MAGIC.length);
  for (; !isFirst && head[0] === 0; head = await input.look(MAGIC.length)) await input.take(1);
  if (head.length === 0) return false;
  if (isGzip(head)) return true;
  throw new Error(isFirst ? "incorrect header check" : "the data after its end is not gzip");
}

async function skipHeader(input: Input): Promise<void> {
  const [, , method, flags = 0] = await input.take(10);
  if (method !== 8) throw new Error("unknown compression method");
  if (flags & HAS_EXTRA) {
    const [low = 0, high = 0] = await input.take(2);
    await input.take(low + high * 256);
  }
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if (flags & flag) { while ((await input.take(1))[0] !== 0); }
  }
  if (flags & HAS_CHECKSUM) await input.take(2);
}

async function* inflated(input: Input): AsyncGenerator<Uint8Array> {
  const engine = createInflateRaw({ chunkSize: OUTPUT_BYTES });
  const parts: Uint8Array[] = [];
  let error: Error | undefined;
  let isOver = false;
  let wake = () => {};
  const ended = new Promise<void>((resolve) => wake = resolve);
  engine.on("data", (part: Uint8Array) => parts.push(part));
  engine.on("end", () => {
    isOver = true;
    wake();
  });
  engine.on("error", (cause: Error) => {
    [isOver, error] = [true, cause];
    wake();
  });
  let fed = 0;
  let piece: Uint8Array = new Uint8Array();
  try {
    while (!isOver) {
      piece = await input.some(PIECE_BYTES);
      fed += piece.length;
      if (piece.length === 0) engine.end();
      // There is no callback if the compressed data end within the piece.
      await Promise.race([ended, piece.length === 0 ? ended : written(engine, piece)]);
      yield* parts.splice(0);
    }
    if (error !== undefined) throw error;
    // The unused rest of the last piece follows the compressed data.
    input.putBack(piece.subarray(piece.length - (fed - engine.bytesWritten)));
  } finally {
    engine.destroy();
  }
}

function written(engine: InflateRaw, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => engine.write(piece, () => resolve()));
}

/** Chunks as a sequence of bytes. */
class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** At most `most` of the next bytes; none at the end. */
  async some(most: number): Promise<Uint8Array> {
    await this.look(1);
    const some = this.#rest.slice(0, most);
    this.#rest = this.#rest.subarray(some.length);
    return some;
  }

  /** The next bytes, without taking them; fewer at the end. */
  async look(length: number): Promise<Uint8Array> {
    while (this.#rest.length < length) {
      const next = await this.#chunks.next();
      if (next.done) break;
      this.#rest = joinBytes([this.#rest, next.value]);
    }
    return this.#rest.subarray(0, length);
  }

  async take(length: number): Promise<Uint8Array> {
    const taken = (await this.look(length)).slice();
    if (taken.length < length) throw new Error("unexpected end of file");
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  putBack(bytes: Uint8Array): void {
    this.#rest = joinBytes([bytes, this.#rest]);
  }
}
