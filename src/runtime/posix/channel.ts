import { microtask, timer, whenSilent } from "./clock.ts";
import type { Channel, ChannelEvents } from "../runtime.ts";

/** Holds what arrives before a channel is opened, and sees to it that `closed` comes once, last and after `open` returned. */
export class Inbox {
  #events: ChannelEvents | undefined;
  #held: ((events: ChannelEvents) => void)[] | undefined = [];
  #closed = false;

  data(chunk: Uint8Array): void {
    if (this.#held === undefined) return this.#closed ? undefined : this.#events?.data(chunk);
    const kept = Uint8Array.from(chunk);
    this.#deliver((events) => events.data(kept));
  }

  drained(): void {
    if (this.#events !== undefined) this.#deliver((events) => events.drained());
  }

  closed(error?: Error): void {
    this.#deliver((events) => error === undefined ? events.closed() : events.closed(error));
    this.#closed = true;
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    microtask(() => {
      const held = this.#held ?? [];
      for (const event of held) event(events);
      this.#held = undefined;
    });
  }

  #deliver(event: (events: ChannelEvents) => void): void {
    if (this.#closed) return;
    if (this.#held !== undefined || this.#events === undefined) this.#held?.push(event);
    else event(this.#events);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Where the bytes of a channel come from. */
export interface ByteSource {
  /** Where the bytes of the last read are. */
  readonly memory: Uint8Array;
  /** Waits for bytes, and says how many have come; null at the end. */
  read(): Promise<number | null>;
  close(): void;
}

export function streamSource(stream: ReadableStream<Uint8Array>): ByteSource {
  const reader = stream.getReader();
  let memory = NOTHING;
  return {
    get memory() {
      return memory;
    },
    async read() {
      const { done, value } = await reader.read();
      if (done) return null;
      memory = value;
      return value.length;
    },
    close: () => void reader.cancel().catch(() => {}),
  };
}

/** Where the bytes of a channel go to. */
export interface ByteSink {
  /** Writes some of `bytes`; says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Lets the other side read an end. */
  end(): Promise<void>;
  close(): void;
  /** How long to wait for the other side's end after {@link end}; for ever when absent. */
  readonly lingerMs?: number;
}

/** After a failed write the other side is gone, and what it sent before is still to be read. */
const LAST_WORDS_MS = 1_000;
/** Writes up to this size that wait for the same turn leave as one. */
const JOINED_BYTES = 64 * 1024;

/** A channel whose two directions fail apart from each other, so that no byte that arrived is lost to a failed write. */
export class PullChannel implements Channel {
  readonly #source: ByteSource;
  readonly #sink: ByteSink;
  #events: ChannelEvents | undefined;
  #queue: Uint8Array[] = [];
  #unsentBytes = 0;
  /** What is on its way to the sink. */
  #piece = NOTHING;
  #sending = false;
  #state: "open" | "ending" | "closed" = "open";
  #failure: Error | undefined;
  #isAlone = false;
  #chunks = 0;
  #patience: (() => void) | undefined;
  #stopWaiting = () => {};

  constructor(source: ByteSource, sink: ByteSink) {
    this.#source = source;
    this.#sink = sink;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || this.#failure !== undefined || bytes.length === 0) return;
    this.#unsentBytes += bytes.length;
    if (this.#sending) this.#queue.push(bytes);
    else this.#send(bytes);
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    void this.#receive(events);
    if (this.#isAlone) this.#endWhenSilent();
    if (this.#failure !== undefined) this.#expectEnd(LAST_WORDS_MS);
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (!this.#sending) void this.#end();
  }

  abort(): void {
    this.#release();
  }

  /** The process on the other side has ended, whoever else may hold its descriptors. */
  otherSideGone(): void {
    this.#isAlone = true;
    if (this.#events !== undefined && this.#state !== "closed") this.#endWhenSilent();
  }

  #send(bytes: Uint8Array): void {
    this.#sending = true;
    this.#piece = bytes;
    this.#sink.write(bytes).then(this.#written, this.#writeFailed);
  }

  readonly #written = (count: number) => {
    if (this.#state === "closed") return;
    this.#unsentBytes -= count;
    if (count < this.#piece.length) this.#send(this.#piece.subarray(count));
    else if (this.#queue.length > 0) this.#send(this.#nextPiece());
    else {
      this.#piece = NOTHING;
      this.#sending = false;
      if (this.#state === "ending") void this.#end();
      else this.#events?.drained();
    }
  };

  #nextPiece(): Uint8Array {
    const [first = NOTHING] = this.#queue;
    let count = 1;
    let length = first.length;
    for (; count < this.#queue.length; count++) {
      const more = this.#queue[count]?.length ?? 0;
      if (length + more > JOINED_BYTES) break;
      length += more;
    }
    const pieces = this.#queue.splice(0, count);
    if (count === 1) return first;
    const joined = new Uint8Array(length);
    let offset = 0;
    for (const piece of pieces) {
      joined.set(piece, offset);
      offset += piece.length;
    }
    return joined;
  }

  readonly #writeFailed = (error: unknown) => {
    if (this.#state === "closed") return;
    this.#failure = asError(error);
    this.#queue = [];
    this.#unsentBytes = 0;
    if (this.#events !== undefined) this.#expectEnd(LAST_WORDS_MS);
  };

  async #end(): Promise<void> {
    try {
      await this.#sink.end();
    } catch {
      // The other side is gone already; its end is read below.
    }
    if (this.#events === undefined) this.#release();
    else if (this.#sink.lingerMs !== undefined) this.#expectEnd(this.#sink.lingerMs);
  }

  #endWhenSilent(): void {
    this.#stopWaiting = whenSilent(() => this.#chunks, () => this.#release());
  }

  #expectEnd(ms: number): void {
    if (this.#state !== "closed") this.#patience ??= timer(ms, () => this.#release());
  }

  async #receive(events: ChannelEvents): Promise<void> {
    let failure: Error | undefined;
    for (;;) {
      let length: number | null;
      try {
        length = await this.#source.read();
      } catch (error) {
        if (this.#state === "open") failure = asError(error);
        break;
      }
      if (length === null) break;
      this.#chunks++;
      events.data(this.#source.memory.subarray(0, length));
    }
    this.#release();
    events.closed(this.#failure ?? failure);
  }

  /** Closing the source ends a read that is under way, and so the channel. */
  #release(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#patience?.();
    this.#stopWaiting();
    this.#queue = [];
    this.#unsentBytes = 0;
    this.#source.close();
    this.#sink.close();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
