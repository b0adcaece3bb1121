/**
 * Large values beside the channel. Their bytes go into a file in memory that both processes have open, and the frame says where they
 * lie: the channel would carry them in many small parts, each of which wakes the other process.
 *
 * The parent makes a file for each direction when the first large value comes by, and takes their names away once its process has
 * opened them, so that nothing is left behind whoever is killed. Where there are no such files, or no room in them, a value goes
 * over the channel. `docs/wire-protocol.md` describes the frames.
 */

import type { Clock, SharedFile, SharedFiles } from "../../runtime/runtime.ts";
import { BodyError, FrameError, FrameType, type Packed, readJson } from "./frame.ts";
import { objectText } from "../user_code.ts";

/** Bytes that may lie in one file. */
const CAPACITY = 16 * 1024 * 1024;
/** Less fits at once into the buffer that Linux gives a socket, and goes there in one part. */
const LEAST_BYTES = 200 * 1024;
/** Memory that was not used for one to two of these is given back. */
const REST_MS = 1_000;

export interface SharedMemoryOptions {
  /** Null where this side has none. */
  readonly files: () => Promise<SharedFiles | null>;
  /** Whether this side makes the files: the parent does, and opens nothing that its child names. */
  readonly makes: boolean;
}

interface Options {
  /** @default everything stays on the channel */
  readonly shared?: SharedMemoryOptions;
  readonly frameLimit: number;
}

export class SharedMemory {
  readonly #clock: Clock;
  readonly #options: SharedMemoryOptions | undefined;
  readonly #frameLimit: number;
  readonly #send: (type: number, text: string) => void;
  #state: "unused" | "requested" | "open" | "closed" = "unused";
  /** What this side writes. */
  #mine: SharedFile | undefined;
  /** What the other side writes. */
  #theirs: SharedFile | undefined;
  readonly #room = new Allocator(CAPACITY);
  /** Frames of the other side that were read and not acknowledged. */
  #taken = 0;
  #isInUse = false;
  #stopResting: (() => void) | undefined;

  constructor(clock: Clock, { shared, frameLimit }: Options, send: (type: number, text: string) => void) {
    this.#clock = clock;
    this.#options = shared;
    this.#frameLimit = frameLimit;
    this.#send = send;
  }

  /** Puts what is large of a frame into the file. Returns the frame that says where, or undefined where it has to go itself. */
  put(type: number, packed: Packed): Packed | undefined {
    const { body, large } = packed;
    const bytes = large === undefined ? 0 : lengthOf(large);
    if (typeof body === "string" || large === undefined) return undefined;
    if (bytes < LEAST_BYTES || large.size > MAX_SPANS) return undefined;
    if (this.#state === "unused") this.#request();
    const file = this.#mine;
    // One that is too large is refused as it would be on the channel.
    if (this.#state !== "open" || file === undefined || lengthOf(body) > this.#frameLimit) return undefined;
    const at = this.#room.take(bytes);
    if (at === undefined) return undefined;
    try {
      return {
        flags: 0,
        body: this.#written({ type, flags: packed.flags, parts: body, large }, at, file),
      };
    } catch {
      // The system has no room for it: the channel needs none, and others need what there was.
      this.#room.takeBack();
      if (this.#room.isEmpty) file.empty();
      return undefined;
    }
  }

  /** Takes what came out of band of the frame that `body` describes. @throws {FrameError} */
  take(body: Uint8Array): OutOfBandFrame & { readonly parts: OutOfBandParts } {
    const frame = readOutOfBand(body, this.#frameLimit);
    const file = this.#theirs;
    if (file === undefined) throw new FrameError("Cannot read frame: there is no shared memory");
    return {
      ...frame,
      parts: new OutOfBandParts(frame.spans, (at, length) => file.read(at, length), () => this.#taken++),
    };
  }

  /** Lets the other side know what was read since the last time. */
  acknowledge(): void {
    if (this.#taken > 0) this.#send(FrameType.taken, String(this.#taken));
    this.#taken = 0;
  }

  /** The other side has read frames of this one. @throws {FrameError} */
  acknowledged(body: Uint8Array): void {
    const count = readJson(body);
    const isCount = typeof count === "number" && Number.isInteger(count) && count > 0;
    if (!isCount || !this.#room.free(count)) {
      throw new FrameError("Cannot read frame: it acknowledges what was never sent");
    }
  }

  /** What the other side sends about the files. */
  received(body: Uint8Array): void {
    const fields = new Map(Object.entries(Object(readJson(body))));
    if (fields.get("wanted") === true) this.#request();
    const [reads, writes, opened] = [fields.get("reads"), fields.get("writes"), fields.get("opened")];
    if (typeof reads === "string" && typeof writes === "string") void this.#open(reads, writes);
    if (typeof opened === "boolean" && this.#options?.makes === true && this.#state === "requested") {
      this.#opened(opened);
    }
  }

  close(): void {
    this.#state = "closed";
    this.#stopResting?.();
    for (const file of [this.#mine, this.#theirs]) {
      if (this.#options?.makes === true) file?.unname();
      file?.close();
    }
    this.#mine = this.#theirs = undefined;
  }

  /** Writes the large parts into the file. Returns the body that says where they are. */
  #written({ type, flags, parts, large }: InBandFrame, from: number, file: SharedFile): Uint8Array[] {
    const rest: Uint8Array[] = [];
    const spans: OutOfBandSpan[] = [];
    let position = 0;
    let at = from;
    for (const part of parts) {
      if (large.has(part)) {
        file.write(part, at);
        spans.push({ position, at, length: part.length });
        at += part.length;
      } else {
        rest.push(part);
        position += part.length;
      }
    }
    this.#isInUse = true;
    if (this.#stopResting === undefined) this.#restLater();
    return [outOfBandHead(type, flags, spans), ...rest];
  }

  #request(): void {
    if (this.#state !== "unused" || this.#options === undefined) return;
    this.#state = "requested";
    if (this.#options.makes) void this.#make(this.#options);
    else this.#send(FrameType.shared, objectText({ wanted: true }));
  }

  async #make({ files }: SharedMemoryOptions): Promise<void> {
    try {
      const made = await files();
      if (made === null || this.#state === "closed") return;
      this.#mine = made.make();
      this.#theirs = made.make();
      this.#send(FrameType.shared, objectText({ reads: this.#mine.path, writes: this.#theirs.path }));
    } catch {
      // A system without such files, or no right to make one.
      this.close();
    }
  }

  /** In the child process, which got the paths of two files from its parent. */
  async #open(reads: string, writes: string): Promise<void> {
    if (this.#options === undefined || this.#options.makes || this.#mine !== undefined) return;
    let opened = false;
    try {
      const files = await this.#options.files();
      if (this.#state === "closed") return;
      if (files !== null) {
        this.#theirs = files.open(reads);
        this.#mine = files.open(writes);
        this.#state = "open";
        opened = true;
      }
    } catch {
      // The parent learns it, and sends nothing this way.
      this.close();
    }
    this.#send(FrameType.shared, objectText({ opened }));
  }

  #opened(opened: boolean): void {
    if (!opened) return this.close();
    this.#mine?.unname();
    this.#theirs?.unname();
    this.#state = "open";
  }

  /** Gives the memory back when it was not used for a while. */
  #restLater(): void {
    this.#stopResting = this.#clock.timer(REST_MS, () => {
      this.#stopResting = undefined;
      if (!this.#isInUse && this.#room.isEmpty) return this.#mine?.empty();
      this.#isInUse = false;
      this.#restLater();
    });
  }
}

interface InBandFrame {
  readonly type: number;
  readonly flags: number;
  readonly parts: readonly Uint8Array[];
  readonly large: ReadonlySet<Uint8Array>;
}

function lengthOf(parts: Iterable<Uint8Array>): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

const HEAD_BYTES = 4;
const SPAN_BYTES = 12;
/** More parts of one frame than this stay in its body. */
const MAX_SPANS = 1_000;

/** One part of a frame. */
export interface OutOfBandSpan {
  /** Before which byte of the rest of the body it belongs. */
  readonly position: number;
  /** Where in the memory it begins. */
  readonly at: number;
  readonly length: number;
}

interface OutOfBandFrame {
  readonly type: number;
  readonly flags: number;
  readonly spans: readonly OutOfBandSpan[];
  /** The body without them. */
  readonly rest: Uint8Array;
}

/**
 * What stands before the rest of the body in a frame whose large parts are out of band: where each belongs.
 *
 *     u8 type | u8 flags | u16 count | count * (u32 where in the body | u32 where in the memory | u32 length) | the rest of the body
 */
export function outOfBandHead(type: number, flags: number, spans: readonly OutOfBandSpan[]): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES + spans.length * SPAN_BYTES);
  const view = new DataView(head.buffer);
  view.setUint8(0, type);
  view.setUint8(1, flags);
  view.setUint16(2, spans.length);
  let offset = HEAD_BYTES;
  for (const { position, at, length } of spans) {
    view.setUint32(offset, position);
    view.setUint32(offset + 4, at);
    view.setUint32(offset + 8, length);
    offset += SPAN_BYTES;
  }
  return head;
}

/** @param limit bytes of the whole body. @throws {FrameError} */
export function readOutOfBand(body: Uint8Array, limit: number): OutOfBandFrame {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const count = body.length < HEAD_BYTES ? 0 : view.getUint16(2);
  const restAt = HEAD_BYTES + count * SPAN_BYTES;
  if (count === 0 || body.length <= restAt) throw new FrameError("Cannot read frame: it does not say what lies apart");
  const type = view.getUint8(0);
  if (type !== FrameType.calls && type !== FrameType.answers) {
    throw new FrameError(`Cannot read frame: of type ${type} nothing lies apart`);
  }
  const spans: OutOfBandSpan[] = [];
  let total = body.length - restAt;
  for (let offset = HEAD_BYTES; offset < restAt; offset += SPAN_BYTES) {
    const length = view.getUint32(offset + 8);
    spans.push({ position: view.getUint32(offset), at: view.getUint32(offset + 4), length });
    total += length;
  }
  if (total > limit) throw new FrameError(`Cannot read frame: its length is ${total} and the limit is ${limit}`);
  return { type, flags: view.getUint8(1), spans, rest: body.subarray(restAt) };
}

/** The parts of one frame for the reader of its body, which takes each where it belongs. */
export class OutOfBandParts {
  readonly #spans: readonly OutOfBandSpan[];
  readonly #read: (at: number, length: number) => Uint8Array;
  #next = 0;
  #done: (() => void) | undefined;

  /** @param read what lies in the memory from `at` on. @param done called once, when nothing reads them any more. */
  constructor(spans: readonly OutOfBandSpan[], read: (at: number, length: number) => Uint8Array, done: () => void) {
    this.#spans = spans;
    this.#read = read;
    this.#done = done;
  }

  /** Bytes of all parts. */
  get bytes(): number {
    return this.#spans.reduce((sum, { length }) => sum + length, 0);
  }

  /** Whether one belongs at `position`. */
  isAt(position: number): boolean {
    return this.#spans[this.#next]?.position === position;
  }

  /** The next one, which has to have `length` bytes, in memory of its own. @throws {BodyError} */
  take(length: number): Uint8Array {
    const span = this.#spans[this.#next++];
    if (span?.length !== length) throw new BodyError("a part that lies apart has another length");
    return this.#read(span.at, length);
  }

  /** The body was read to its end. @throws {BodyError} where a part was not taken. */
  close(): void {
    this.end();
    if (this.#next < this.#spans.length) throw new BodyError("a part that lies apart belongs nowhere");
  }

  /** Nothing reads them any more, also where the body is refused. */
  end(): void {
    this.#done?.();
    this.#done = undefined;
  }
}

/** Room in a file that several frames share until their reader has taken them, oldest first. */
interface Block {
  readonly start: number;
  readonly end: number;
}

export class Allocator {
  readonly #capacity: number;
  /** In the order of their frames. */
  #taken: Block[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isEmpty(): boolean {
    return this.#taken.length === 0;
  }

  /** Takes the lowest room for `bytes`, so that the same memory is used again and again. Undefined where there is none. */
  take(bytes: number): number | undefined {
    let start = 0;
    for (const place of [...this.#taken].sort((one, other) => one.start - other.start)) {
      if (place.start - start >= bytes) break;
      start = place.end;
    }
    if (this.#capacity - start < bytes) return undefined;
    this.#taken.push({ start, end: start + bytes });
    return start;
  }

  /** What was taken last will not be used. */
  takeBack(): void {
    this.#taken.pop();
  }

  /** The oldest `count` are free. False where there are not so many. */
  free(count: number): boolean {
    if (count > this.#taken.length) return false;
    this.#taken.splice(0, count);
    return true;
  }
}
