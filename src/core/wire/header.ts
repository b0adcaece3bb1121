/**
 * The header before every frame: `"bk"`, type, flags, and the length of the body as 32 bits, big end first.
 * `docs/wire-protocol.md` describes it for other languages.
 *
 * @module
 */

export const HEADER_BYTES = 8;

/** The largest body unless both sides agree on less. */
export const DEFAULT_FRAME_LIMIT = 16 * 1024 * 1024;

const MAGIC_0 = 0x62;
const MAGIC_1 = 0x6b;

/** What a frame is. A type that is not listed is ignored and counted: it comes from a newer peer. */
export const FrameType = {
  hello: 1,
  calls: 2,
  answers: 3,
  cancel: 4,
  ping: 5,
  pong: 6,
  records: 7,
  notice: 8,
  close: 9,
  credit: 10,
  /** Files that both sides have in memory. */
  shared: 11,
  /** A frame whose body lies in such a file. */
  apart: 12,
  /** How many of those frames were read. */
  taken: 13,
} as const;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(FrameType));

export function isKnownType(type: number): boolean {
  return KNOWN_TYPES.has(type);
}

/** Bits of the flags byte. */
export const FrameFlag = {
  /** After the JSON text stand raw bytes: `u32 length of the text | text | bytes of each attachment`. */
  attachments: 1,
  /** The body is MessagePack. */
  compact: 2,
  /** The body tells shapes of the objects in the frames of this type that follow. */
  shapes: 4,
} as const;

export interface FrameHeader {
  readonly type: number;
  readonly flags: number;
  readonly length: number;
}

/** A peer broke the framing: nothing after this point can be trusted. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

export function writeHeader(target: Uint8Array, offset: number, header: FrameHeader): void {
  const { type, flags, length } = header;
  target[offset] = MAGIC_0;
  target[offset + 1] = MAGIC_1;
  target[offset + 2] = type;
  target[offset + 3] = flags;
  target[offset + 4] = length >>> 24;
  target[offset + 5] = length >>> 16;
  target[offset + 6] = length >>> 8;
  target[offset + 7] = length;
}

/**
 * Reads the header at `offset`; `source` holds all of it.
 *
 * @throws {FrameError} on wrong magic, and on a length of 0 or over `limit`, before anything is allocated.
 */
export function readHeader(source: Uint8Array, offset: number, limit: number): FrameHeader {
  if (source[offset] !== MAGIC_0 || source[offset + 1] !== MAGIC_1) {
    throw new FrameError("Cannot read frame: it does not begin with the bytes 62 6b");
  }
  const length = byte(source, offset + 4) * 0x1000000 + (byte(source, offset + 5) << 16) +
    (byte(source, offset + 6) << 8) + byte(source, offset + 7);
  if (length === 0) throw new FrameError("Cannot read frame: its length is 0");
  if (length > limit) throw new FrameError(`Cannot read frame: its length is ${length} and the limit is ${limit}`);
  return { type: byte(source, offset + 2), flags: byte(source, offset + 3), length };
}

function byte(source: Uint8Array, offset: number): number {
  return source[offset] ?? 0;
}
