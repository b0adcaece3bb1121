/**
 * Reads what `compact_writer.ts` writes, and any other MessagePack. Wire input: each length is held against what is left before
 * anything is made of it, the depth is bounded, and nothing is looked up by name.
 *
 * @module
 */

import { AsciiDecoder, utf8Text } from "./ascii_decoder.ts";
import { BIGINT, TEXT16, TIMESTAMP, UNDEFINED } from "./compact_writer.ts";
import { BodyError } from "./frame.ts";
import { MAX_BODY_DEPTH, tooDeep } from "./serializable.ts";
import { KnownShapes } from "./shapes.ts";
import type { OutOfBandParts } from "./shared_memory.ts";

/** Memory of more is not held until the next body. */
const KEPT_BYTES = 256 * 1024;

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

export class CompactReader {
  readonly shapes = new KnownShapes();
  #bytes: Uint8Array = EMPTY;
  #start = 0;
  #at = 0;
  #end = 0;
  #depth = 0;
  readonly #texts = new AsciiDecoder();
  #view: DataView = EMPTY_VIEW;
  #outOfBand: OutOfBandParts | undefined;
  /** Bytes that were read from there. */
  #outOfBandBytes = 0;

  /** Bytes of the body that were read so far, with those that came out of band. */
  get readBytes(): number {
    return this.#at - this.#start + this.#outOfBandBytes;
  }

  /** From now on `bytes` are read, in the memory they are in. @param outOfBand what belongs between them. */
  open(bytes: Uint8Array, outOfBand?: OutOfBandParts): void {
    const { buffer, byteOffset, length } = bytes;
    if (buffer !== this.#view.buffer) this.#look(buffer);
    this.#outOfBand = outOfBand;
    this.#outOfBandBytes = 0;
    this.#start = byteOffset;
    this.#at = byteOffset;
    this.#end = byteOffset + length;
    this.#depth = 0;
    this.#texts.open(this.#bytes, this.#view, this.#end, bytes);
  }

  /** All was read; no large memory of it is held. @throws {BodyError} */
  close(): void {
    const isWhole = this.#at === this.#end;
    this.#end = this.#at;
    if (this.#bytes.length > KEPT_BYTES) {
      this.#look(EMPTY.buffer);
      this.#texts.open(this.#bytes, this.#view, 0, EMPTY);
    }
    this.#outOfBand?.close();
    if (!isWhole) throw new BodyError("the body goes on after its last column");
  }

  /** Most bodies come in the same memory as the one before: what looks at it costs as much as to read a small one. */
  #look(buffer: ArrayBufferLike): void {
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** The next value. @throws {BodyError} */
  next(): unknown {
    const head = this.#byte();
    if (head < 0x40) return head;
    if (head < 0x80) return this.#shaped(head - 0x40);
    if (head < 0x90) return this.#map(head - 0x80);
    if (head < 0xa0) return this.#list(head - 0x90);
    if (head < 0xc0) return this.#text(head - 0xa0);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xcc:
        return this.#byte();
      case 0xcd:
        return this.#view.getUint16(this.#take(2));
      case 0xce:
        return this.#view.getUint32(this.#take(4));
      case 0xcf:
        return this.#view.getBigUint64(this.#take(8));
      case 0xd0:
        return this.#view.getInt8(this.#take(1));
      case 0xd1:
        return this.#view.getInt16(this.#take(2));
      case 0xd2:
        return this.#view.getInt32(this.#take(4));
      case 0xd3:
        return this.#view.getBigInt64(this.#take(8));
      default:
        return this.#sized(head);
    }
  }

  /** The head of a list, whose items come next. @throws {BodyError} */
  listLength(): number {
    const head = this.#byte();
    const length = head >= 0x90 && head < 0xa0
      ? head - 0x90
      : head === 0xdc
      ? this.#view.getUint16(this.#take(2))
      : head === 0xdd
      ? this.#view.getUint32(this.#take(4))
      : -1;
    if (length < 0 || length > this.#end - this.#at) throw new BodyError("a column is no list");
    return length;
  }

  /** The next value, which is a list. @param sizes gets the bytes of each item. @throws {BodyError} */
  items(sizes?: number[]): unknown[] {
    const length = this.listLength();
    const list = new Array<unknown>(length);
    for (let index = 0; index < length; index++) {
      const before = sizes === undefined ? 0 : this.readBytes;
      list[index] = this.next();
      if (sizes !== undefined) sizes.push(this.readBytes - before);
    }
    return list;
  }

  #sized(head: number): unknown {
    switch (head) {
      case 0xc4:
        return this.#binary(this.#byte());
      case 0xc5:
        return this.#binary(this.#view.getUint16(this.#take(2)));
      case 0xc6:
        return this.#largeBinary(this.#view.getUint32(this.#take(4)));
      case 0xc7:
        return this.#extension(this.#byte());
      case 0xc8:
        return this.#extension(this.#view.getUint16(this.#take(2)));
      case 0xc9:
        return this.#extension(this.#view.getUint32(this.#take(4)));
      case 0xd9:
        return this.#text(this.#byte());
      case 0xda:
        return this.#text(this.#view.getUint16(this.#take(2)));
      case 0xdb:
        return this.#largeText(this.#view.getUint32(this.#take(4)));
      case 0xdc:
        return this.#list(this.#view.getUint16(this.#take(2)));
      case 0xdd:
        return this.#list(this.#view.getUint32(this.#take(4)));
      case 0xde:
        return this.#map(this.#view.getUint16(this.#take(2)));
      case 0xdf:
        return this.#map(this.#view.getUint32(this.#take(4)));
      case 0xc1:
        throw new BodyError("the body has the byte c1, which MessagePack never uses");
      default:
        return this.#extension(1 << (head - 0xd4));
    }
  }

  #shaped(number: number): object {
    const make = this.shapes.get(number);
    if (make === undefined) throw new BodyError(`the body has an object of shape ${number}, which was not told`);
    this.#enter();
    const object = make(this);
    this.#depth--;
    return object;
  }

  #list(length: number): unknown[] {
    if (length > this.#end - this.#at) throw tooLong();
    this.#enter();
    const list = length === 1 ? [this.next()] : length === 2 ? [this.next(), this.next()] : this.#longList(length);
    this.#depth--;
    return list;
  }

  /** A list that grows has room for 17: short ones are made as they are. */
  #longList(length: number): unknown[] {
    const list: unknown[] = [];
    for (let index = 0; index < length; index++) list.push(this.next());
    return list;
  }

  #map(length: number): object {
    if (length * 2 > this.#end - this.#at) throw tooLong();
    this.#enter();
    const map: Record<string, unknown> = {};
    for (let index = 0; index < length; index++) {
      const key = this.next();
      if (typeof key !== "string" && typeof key !== "number") throw new BodyError("a key is neither text nor number");
      const value = this.next();
      if (key !== "__proto__") map[key] = value;
      else Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true });
    }
    this.#depth--;
    return map;
  }

  #text(length: number): string {
    const from = this.#take(length);
    return this.#texts.read(from, from + length);
  }

  /** Copied: a chunk is larger than what it holds. Not `slice`: in Node and Bun it may be a Buffer, whose slices share memory. */
  #binary(length: number): Uint8Array {
    const from = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(from, from + length));
  }

  #largeText(length: number): string {
    const part = this.#takeOutOfBand(length);
    return part === undefined ? this.#text(length) : utf8Text(part);
  }

  #largeBinary(length: number): Uint8Array {
    return this.#takeOutOfBand(length) ?? this.#binary(length);
  }

  #takeOutOfBand(length: number): Uint8Array | undefined {
    if (this.#outOfBand?.isAt(this.#at - this.#start) !== true) return undefined;
    this.#outOfBandBytes += length;
    return this.#outOfBand.take(length);
  }

  #extension(length: number): unknown {
    const type = this.#byte();
    const from = this.#take(length);
    if (type === UNDEFINED && length === 1) return undefined;
    return extensionOf(type, this.#bytes.subarray(from, from + length));
  }

  #enter(): void {
    if (this.#depth === MAX_BODY_DEPTH) throw tooDeep();
    this.#depth++;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw tooLong();
    return this.#bytes[this.#at++] ?? 0;
  }

  /** Steps over `length` bytes; returns where they begin. */
  #take(length: number): number {
    const from = this.#at;
    if (length > this.#end - from) throw tooLong();
    this.#at = from + length;
    return from;
  }
}

const MAX_BIGINT_DIGITS = 100_000;

/** What an extension stands for. @throws {BodyError} */
function extensionOf(type: number, bytes: Uint8Array): unknown {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (type === TIMESTAMP) return timestamp(view);
  if (type === TEXT16 && length % 2 === 0) return text16(view);
  if (type === BIGINT && length <= MAX_BIGINT_DIGITS) return bigint(utf8Text(bytes));
  throw new BodyError(`the body has extension type ${type} of ${length} bytes, which brokkr does not know`);
}

/** A timestamp of 32, 64 or 96 bits. */
function timestamp(view: DataView): Date {
  const { byteLength } = view;
  if (byteLength === 4) return new Date(view.getUint32(0) * 1000);
  if (byteLength === 8) {
    const high = view.getUint32(0);
    return new Date(((high & 3) * 0x100000000 + view.getUint32(4)) * 1000 + (high >>> 2) / 1_000_000);
  }
  if (byteLength === 12) return new Date(Number(view.getBigInt64(4)) * 1000 + view.getUint32(0) / 1_000_000);
  throw new BodyError(`the body has a timestamp of ${byteLength} bytes`);
}

/** UTF-16 units, big end first. */
function text16(view: DataView): string {
  let text = "";
  for (let at = 0; at < view.byteLength; at += 2) text += String.fromCharCode(view.getUint16(at));
  return text;
}

/** A decimal text. */
function bigint(text: string): bigint {
  if (!/^-?[0-9]+$/.test(text)) throw new BodyError("the body has a BigInt that is none");
  return BigInt(text);
}

function tooLong(): BodyError {
  return new BodyError("the body ends inside a value");
}
