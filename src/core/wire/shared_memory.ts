/**
 * Large values beside the channel. Their bytes go into a file in memory that both processes have open, and the frame says where they
 * lie: the channel would carry them in many small parts, each of which wakes the other process.
 *
 * The father makes a file for each direction when the first large value comes by, and takes their names away once its process has
 * opened them, so that nothing is left behind whoever is killed. Where there are no such files, or no room in them, a value goes
 * over the channel. `docs/wire-protocol.md` describes the frames.
 *
 * @module
 */

import type { Clock, SharedFile, SharedFiles } from "../../runtime/runtime.ts";
import { type ApartFrame, apartHead, ApartParts, type ApartSpan, MAX_SPANS, readApart } from "./apart.ts";
import { type Packed, readJson } from "./batch.ts";
import { FrameError, FrameType } from "./header.ts";
import { objectText } from "./json_text.ts";
import type { LinkOptions } from "./link_options.ts";
import { Places } from "./places.ts";

/** Bytes that may lie in one file. */
const CAPACITY = 16 * 1024 * 1024;
/** Less fits at once into the buffer that Linux gives a socket, and goes there in one part. */
const LEAST_BYTES = 200 * 1024;
/** Memory that was not used for one to two of these is given back. */
const REST_MS = 1_000;

export interface SharedMemoryOptions {
  /** Null where this side has none. */
  readonly files: () => Promise<SharedFiles | null>;
  /** Whether this side makes the files: the father does, and opens nothing that its process names. */
  readonly makes: boolean;
}

export class SharedMemory {
  readonly #clock: Clock;
  readonly #options: SharedMemoryOptions | undefined;
  readonly #frameLimit: number;
  readonly #send: (type: number, text: string) => void;
  #state: "unused" | "asked" | "open" | "closed" = "unused";
  /** What this side writes. */
  #mine: SharedFile | undefined;
  /** What the other side writes. */
  #theirs: SharedFile | undefined;
  readonly #places = new Places(CAPACITY);
  /** Frames of the other side that were read and not acknowledged. */
  #taken = 0;
  #isInUse = false;
  #stopResting: (() => void) | undefined;

  constructor(clock: Clock, { shared, frameLimit }: LinkOptions, send: (type: number, text: string) => void) {
    this.#clock = clock;
    this.#options = shared;
    this.#frameLimit = frameLimit;
    this.#send = send;
  }

  /** Puts what is large of a frame into the file. Returns the frame that says where, or undefined where it has to go itself. */
  put(type: number, packed: Packed): Packed | undefined {
    const { large } = packed;
    const bytes = large === undefined ? 0 : lengthOf(large);
    if (large === undefined || bytes < LEAST_BYTES || large.size > MAX_SPANS) return undefined;
    if (this.#state === "unused") this.#ask();
    const file = this.#mine;
    // One that is too large is refused as it would be on the channel.
    if (this.#state !== "open" || file === undefined || lengthOf(packed.parts) > this.#frameLimit) return undefined;
    const at = this.#places.take(bytes);
    if (at === undefined) return undefined;
    try {
      return this.#written(type, packed, at, file);
    } catch {
      // The system has no room for it: the channel needs none, and others need what there was.
      this.#places.takeBack();
      if (this.#places.isEmpty) file.empty();
      return undefined;
    }
  }

  /** Takes what lies apart of the frame that `body` tells of. @throws {FrameError} */
  take(body: Uint8Array): ApartFrame & { readonly parts: ApartParts } {
    const frame = readApart(body, this.#frameLimit);
    const file = this.#theirs;
    if (file === undefined) throw new FrameError("Cannot read frame: there is no shared memory");
    return { ...frame, parts: new ApartParts(frame.spans, (at, length) => file.read(at, length), () => this.#taken++) };
  }

  /** Tells the other side what was read since the last time. */
  acknowledge(): void {
    if (this.#taken > 0) this.#send(FrameType.taken, String(this.#taken));
    this.#taken = 0;
  }

  /** The other side has read frames of this one. @throws {FrameError} */
  acknowledged(body: Uint8Array): void {
    const count = readJson(body);
    const isCount = typeof count === "number" && Number.isInteger(count) && count > 0;
    if (!isCount || !this.#places.free(count)) {
      throw new FrameError("Cannot read frame: it acknowledges what was never sent");
    }
  }

  /** What the other side says of the files. */
  told(body: Uint8Array): void {
    const told = new Map(Object.entries(Object(readJson(body))));
    if (told.get("wanted") === true) this.#ask();
    const [reads, writes, opened] = [told.get("reads"), told.get("writes"), told.get("opened")];
    if (typeof reads === "string" && typeof writes === "string") void this.#open(reads, writes);
    if (typeof opened === "boolean" && this.#options?.makes === true && this.#state === "asked") this.#opened(opened);
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

  #written(type: number, { flags, parts, steady, large }: Packed, from: number, file: SharedFile): Packed {
    const rest: Uint8Array[] = [];
    const spans: ApartSpan[] = [];
    let position = 0;
    let at = from;
    for (const part of parts) {
      if (large?.has(part) === true) {
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
    return { flags: 0, parts: [apartHead(type, flags, spans), ...rest], ...(steady === undefined ? {} : { steady }) };
  }

  #ask(): void {
    if (this.#state !== "unused" || this.#options === undefined) return;
    this.#state = "asked";
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

  /** In the process that its father told of two files. */
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
      // The father hears it, and sends nothing this way.
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

  /** Gives the memory back when nobody has used it for a while. */
  #restLater(): void {
    this.#stopResting = this.#clock.timer(REST_MS, () => {
      this.#stopResting = undefined;
      if (!this.#isInUse && this.#places.isEmpty) return this.#mine?.empty();
      this.#isInUse = false;
      this.#restLater();
    });
  }
}

function lengthOf(parts: Iterable<Uint8Array>): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}
