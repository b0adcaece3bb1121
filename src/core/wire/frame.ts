/** Frames on a stream of bytes: a header of 8 bytes and a body, mostly of JSON. `docs/wire-protocol.md` describes them for other languages. */

import type { Channel } from "../../runtime/runtime.ts";
import { messageOf } from "../user_code.ts";

/** Version of the frames and of everything in them. Peers must have the same. */
export const PROTOCOL_VERSION = 1;

/** `text` is JSON without bytes beside it, for programs that read nothing else. */
export type CodecName = "rich" | "json" | "text";

/** Those that a hello may offer, the best first. */
export const CODECS: readonly CodecName[] = ["rich", "json"];

/** The best codec that a peer can read, by what its hello offers. One that offers nothing reads JSON. */
export function bestCodec(offered: unknown): CodecName {
  const names: readonly unknown[] = Array.isArray(offered) ? offered : [];
  return CODECS.find((name) => names.includes(name)) ?? "json";
}

export const HEADER_BYTES = 8;

/** A part of so many bytes is memory of its own, which no frame copies. */
export const LARGE_BYTES = 64 * 1024;

/** The largest body unless both sides agree on less. */
export const DEFAULT_FRAME_LIMIT = 16 * 1024 * 1024;

/** Engines differ in how deep they can write and read JSON; each of them can do this. */
export const MAX_DEPTH = 1_000;
/** A little more than a value may have, for the columns around it. */
export const MAX_BODY_DEPTH = MAX_DEPTH + 10;

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
  /** A frame whose large parts lie in such a file. */
  outOfBand: 12,
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
  /** The body is JSON, and all that its values are: none of their numbers is -0 or beyond all numbers. */
  plain: 2,
} as const;

/** Of the length of the text before attachments. */
export const LENGTH_BYTES = 4;

/** What an answer's value means. */
export const AnswerKind = {
  value: 0,
  /** The handler returned undefined, which JSON has no word for. */
  nothing: 1,
  /** The handler threw: a `ThrownError`. */
  thrown: 2,
  /** One of brokkr's own errors: a `BrokerFault`. */
  fault: 3,
  /** One item of a stream; the answer comes after the last one. */
  item: 4,
  /** How far the handler is; the answer is still to come. */
  progress: 5,
} as const;

interface FrameHeader {
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

/** A frame's body can't be understood; the frame is refused. Nothing else that is thrown while it is handled is the peer's fault. */
export class BodyError extends Error {
  override readonly name: string = "BodyError";
}

/**
 * What was thrown while a body was read. No code of the program runs meanwhile, so all of it is the body's: an engine's own limits,
 * a path that leads nowhere, a file that can't be read.
 */
export function asBodyError(error: unknown): BodyError {
  return error instanceof BodyError ? error : new BodyError(messageOf(error));
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true });
/** What a decoder writes in the place of what is not UTF-8. */
const REPLACEMENT = "\ufffd";

/** To look for what was replaced takes a third of what a strict decoder takes in Deno. @throws {BodyError} */
export function utf8Text(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  try {
    strictDecoder.decode(bytes);
    return text;
  } catch {
    throw new BodyError("the body is not UTF-8");
  }
}

/** The JSON value of a body without attachments. @throws {BodyError} */
export function readJson(body: Uint8Array): unknown {
  return readText(utf8Text(body)).value;
}

/**
 * What a JSON text says, and whether a value in it may be deeper than values are: that is only looked at in the text.
 *
 * The engine's own words for a fault would quote from the text. @throws {BodyError}
 */
export function readText(text: string): { readonly value: unknown; readonly mayBeDeep: boolean } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BodyError("the body is not valid JSON");
  }
  const mayBeDeep = opensMoreThan(text, MAX_DEPTH);
  if (mayBeDeep && isDeeper(value, MAX_BODY_DEPTH)) {
    throw new BodyError(`the body is nested deeper than ${MAX_BODY_DEPTH}`);
  }
  return { value, mayBeDeep };
}

/** Whether `value`, whose JSON is `text`, is nested deeper than `limit`. */
export function isNestedDeeper(text: string, value: unknown, limit: number): boolean {
  return opensMoreThan(text, limit) && isDeeper(value, limit);
}

/** Whether so many lists or objects begin in a JSON text, in its texts included: it takes a tenth of what a look at the value does. */
function opensMoreThan(text: string, limit: number): boolean {
  // What is opened is closed.
  if (text.length < limit * 2) return false;
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++count > limit) return true;
    }
  }
  return false;
}

function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (isDeeper(inner, limit - 1)) return true;
  }
  return false;
}

/** Gets each frame; `body` is its reader's until this returns. */
type FrameHandler = (type: number, flags: number, body: Uint8Array) => void;

/** Memory for bodies that came in several chunks, kept for the next one up to this size: new memory costs more than the copy. */
const KEPT_BYTES = 2 * 1024 * 1024;
const SMALLEST_BYTES = 64 * 1024;
/** Memory that is used for so much less than it has is given back. */
const TOO_LARGE = 16;

/** Chunks of any size in, whole frames out. A frame that lies within one chunk is handed on without copying. */
export class FrameReader {
  readonly #limit: number;
  readonly #handle: FrameHandler;
  readonly #head = new Uint8Array(HEADER_BYTES);
  #headFilled = 0;
  #header: FrameHeader | undefined;
  #body: Uint8Array | undefined;
  #bodyFilled = 0;
  #memory = new Uint8Array(0);

  constructor(limit: number, handle: FrameHandler) {
    this.#limit = limit;
    this.#handle = handle;
  }

  /** Whether a frame has begun and not ended. */
  get partial(): boolean {
    return this.#headFilled > 0 || this.#header !== undefined;
  }

  /** @throws {FrameError} and then takes nothing more. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#header === undefined ? this.#readHead(chunk, at) : this.#readBody(chunk, at);
  }

  #readHead(chunk: Uint8Array, at: number): number {
    if (this.#headFilled === 0 && chunk.length - at >= HEADER_BYTES) {
      this.#header = readHeader(chunk, at, this.#limit);
      return at + HEADER_BYTES;
    }
    const part = chunk.subarray(at, at + HEADER_BYTES - this.#headFilled);
    this.#head.set(part, this.#headFilled);
    this.#headFilled += part.length;
    if (this.#headFilled === HEADER_BYTES) {
      this.#header = readHeader(this.#head, 0, this.#limit);
      this.#headFilled = 0;
    }
    return at + part.length;
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const header = this.#header;
    if (header === undefined) return at;
    const { type, flags, length } = header;
    if (this.#body === undefined && chunk.length - at >= length) {
      this.#header = undefined;
      this.#handle(type, flags, chunk.subarray(at, at + length));
      return at + length;
    }
    const body = this.#body ??= this.#bodyOf(length);
    const part = chunk.subarray(at, at + length - this.#bodyFilled);
    body.set(part, this.#bodyFilled);
    this.#bodyFilled += part.length;
    if (this.#bodyFilled === length) {
      this.#header = undefined;
      this.#body = undefined;
      this.#bodyFilled = 0;
      this.#handle(type, flags, body);
    }
    return at + part.length;
  }

  #bodyOf(length: number): Uint8Array {
    if (length > KEPT_BYTES) return new Uint8Array(length);
    const { length: kept } = this.#memory;
    if (kept < length || (kept > SMALLEST_BYTES && kept > length * TOO_LARGE)) {
      this.#memory = new Uint8Array(Math.max(length, SMALLEST_BYTES));
    }
    return this.#memory.subarray(0, length);
  }
}

/** A frame, ready for `Link.sendPacked`. */
export interface Packed {
  readonly flags: number;
  /** A text, or parts one after the other, which are not written to again. */
  readonly body: string | readonly Uint8Array[];
  /** Those of the parts that are the bytes of one large text or `Uint8Array`, and may go out of band. @default none */
  readonly large?: ReadonlySet<Uint8Array>;
}

const SLAB_BYTES = 64 * 1024;

/** Of UTF-8. */
const MAX_CHARACTER_BYTES = 3;

const encoder = new TextEncoder();

/** Frames on their way to a channel: small ones are gathered, so that those of one turn leave in one write. */
export class FrameWriter {
  readonly #channel: Channel;
  readonly #limit: number;
  #slab = new Uint8Array(SLAB_BYTES);
  #start = 0;
  #end = 0;
  /** Bytes that went to the channel. */
  #written = 0;

  /** @param limit bytes of a body. A frame over it is not written. */
  constructor(channel: Channel, limit: number) {
    this.#channel = channel;
    this.#limit = limit;
  }

  /** Bytes of all frames that were added. */
  get written(): number {
    return this.#written + this.gathered;
  }

  /** Bytes that were gathered and not written. */
  get gathered(): number {
    return this.#end - this.#start;
  }

  /** Adds a frame. Returns the bytes of its body. */
  add(type: number, { flags, body }: Packed): number {
    return typeof body === "string" ? this.text(type, body, flags) : this.#parts(type, flags, body);
  }

  /** The same of text alone. */
  text(type: number, text: string, flags = 0): number {
    // Most characters are of one byte.
    let at = this.#reserve(HEADER_BYTES + text.length + (text.length >> 3));
    let { read, written: length } = encoder.encodeInto(text, this.#slab.subarray(at + HEADER_BYTES));
    if (read < text.length) {
      at = this.#reserve(HEADER_BYTES + text.length * MAX_CHARACTER_BYTES);
      ({ read, written: length } = encoder.encodeInto(text, this.#slab.subarray(at + HEADER_BYTES)));
    }
    if (length > this.#limit) return length;
    writeHeader(this.#slab, at, { type, flags, length });
    this.#end = at + HEADER_BYTES + length;
    return length;
  }

  /** Large parts go to the channel without a copy. */
  #parts(type: number, flags: number, parts: readonly Uint8Array[]): number {
    let length = 0;
    let copied = HEADER_BYTES;
    for (const part of parts) {
      length += part.length;
      if (part.length < LARGE_BYTES) copied += part.length;
    }
    if (length > this.#limit) return length;
    const at = this.#reserve(copied);
    writeHeader(this.#slab, at, { type, flags, length });
    this.#end = at + HEADER_BYTES;
    for (const part of parts) {
      if (part.length >= LARGE_BYTES) {
        this.writeOut();
        this.#write(part);
      } else {
        this.#slab.set(part, this.#end);
        this.#end += part.length;
      }
    }
    return length;
  }

  writeOut(): void {
    if (this.#end === this.#start) return;
    const bytes = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#written += bytes.length;
    this.#channel.write(bytes);
  }

  /** Room for `bytes` after what was gathered; moves to a new slab where the old one is too short. */
  #reserve(bytes: number): number {
    this.#reuse();
    if (this.#slab.length - this.#end < bytes) {
      this.writeOut();
      this.#reuse();
    }
    const isWasted = this.#end === 0 && this.#slab.length > KEPT_BYTES && bytes < SLAB_BYTES;
    if (isWasted || this.#slab.length - this.#end < bytes) {
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, bytes));
      this.#start = 0;
      this.#end = 0;
    }
    return this.#end;
  }

  /** What is out is out: the same memory again, which the processor still has at hand. */
  #reuse(): void {
    if (this.#start === this.#end && this.#channel.unsentBytes === 0) this.#start = this.#end = 0;
  }
}

/** Larger frames are slower: their texts lie outside of the fast memory, and have so many brackets that their depth is looked at. */
const BATCH_BYTES = 32 * 1024;
/** What an entry has beside its value: an id, an attempt, a kind. */
const ENTRY_BYTES = 64;

/** Hands on entries frame by frame: a frame is closed when it holds 32 KiB, and a larger entry has one of its own. */
export function inBatches<T>(
  entries: readonly T[],
  bytesOf: (entry: T) => number,
  send: (batch: readonly T[]) => void,
): void {
  let from = 0;
  let bytes = 0;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const size = bytesOf(entry) + ENTRY_BYTES;
    if (index > from && bytes + size > BATCH_BYTES) {
      send(entries.slice(from, index));
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from === 0 && entries.length > 0) send(entries);
  else if (from > 0) send(entries.slice(from));
}

/** All of `parts`, one after the other, in memory of their own. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
