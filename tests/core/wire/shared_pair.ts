import { Codec } from "../../../src/core/wire/codec.ts";
import { packAnswers, readAnswers } from "../../../src/core/wire/columns.ts";
import { BodyError, FrameType } from "../../../src/core/wire/frame.ts";
import { Link } from "../../../src/core/wire/link.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";
import { MemoryFiles } from "../memory_files.ts";

export const LARGE = 300_000;

/** One end: what it was sent, and how it sends. */
export class SharedSide {
  readonly link: Link;
  readonly end: MemoryChannel;
  readonly got: unknown[] = [];
  readonly refused: string[] = [];
  readonly closed: (string | null)[] = [];
  /** Whether it refuses what it gets without a look. */
  refuses = false;
  readonly #codec = new Codec("rich");
  #id = 0;

  constructor(end: MemoryChannel, clock: ManualClock, options: { files: MemoryFiles | null; makes: boolean }) {
    this.end = end;
    const { files, makes } = options;
    this.link = new Link(end, clock, {
      frameLimit: 16 * 1024 * 1024,
      shared: { files: () => Promise.resolve(files), makes },
      events: {
        frame: (_type, flags, body) => {
          if (this.refuses) throw new BodyError("refused");
          this.got.push(...readAnswers(flags, body, this.link.outOfBand).values);
        },
        refused: (reason) => void this.refused.push(reason),
        drained: () => {},
        closed: (reason) => void this.closed.push(reason),
      },
    });
  }

  /** Sends `values` in one frame. Returns how many bytes went over the channel. */
  async send(...values: readonly unknown[]): Promise<number> {
    const before = this.#bytes();
    const entries = values.map((value) => {
      return { id: ++this.#id, attempt: 1, kind: 0, value: this.#codec.encode(value, "value") };
    });
    this.link.sendPacked(FrameType.answers, packAnswers(entries));
    await settle();
    return this.#bytes() - before;
  }

  #bytes(): number {
    return this.end.written.reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

/** A parent and its process, on a clock that the test owns. */
export class SharedPair {
  readonly clock = new ManualClock();
  readonly files: MemoryFiles;
  readonly parent: SharedSide;
  readonly process: SharedSide;

  constructor({ theirs = true }: { theirs?: boolean } = {}) {
    this.files = new MemoryFiles();
    const [one, other] = MemoryChannel.pair();
    this.parent = new SharedSide(one, this.clock, { files: this.files, makes: true });
    this.process = new SharedSide(other, this.clock, { files: theirs ? this.files : null, makes: false });
  }

  /** A pair whose memory is open. */
  static async open(): Promise<SharedPair> {
    const pair = new SharedPair();
    await pair.parent.send(large(0));
    pair.process.got.length = 0;
    return pair;
  }

  async close(): Promise<void> {
    this.parent.link.close(null);
    await settle();
  }
}

export function large(byte: number, length = LARGE): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

/** What a value is, in few words: to compare so many bytes takes an assertion minutes. */
export function brief(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const first = value[0];
  return value.every((byte) => byte === first) ? `${value.length} × ${first}` : `${value.length} bytes`;
}
