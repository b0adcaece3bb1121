import { Buffer } from "node:buffer";
import type { BunNamespace, BunSocket } from "./namespace.ts";
import { microtask, timer } from "../posix/clock.ts";
import { Inbox } from "../posix/inbox.ts";
import type { Channel, ChannelEvents } from "../runtime.ts";
import { whenSilent } from "../posix/silence.ts";

declare const Bun: BunNamespace;

const LINGER_MS = 1_000;
/** Chunks up to this size are copied to where the one before was: what looks at new memory costs more than the copy. */
const CHUNK_BYTES = 16 * 1024;
/** After a failed write the other side is gone, and what it sent before is still to be read. */
const LAST_WORDS_MS = 1_000;

/** A channel over one descriptor of a socket pair. */
export async function descriptorChannel(fd: number): Promise<BunChannel> {
  const channel = new BunChannel();
  channel.attach(
    await Bun.connect({
      fd,
      socket: {
        data: (_socket, chunk) => channel.received(chunk),
        drain: () => channel.writable(),
        end: () => channel.finish(),
        close: (_socket, error) => channel.finish(error),
        error: (_socket, error) => channel.finish(error),
      },
    }),
  );
  return channel;
}

export class BunChannel implements Channel {
  readonly #inbox = new Inbox();
  readonly #memory = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #socket: BunSocket | undefined;
  #queue: Uint8Array[] = [];
  #unsentBytes = 0;
  #state: "open" | "ending" | "closed" = "open";
  #failure: Error | undefined;
  #chunks = 0;
  #patience: (() => void) | undefined;
  #stopWaiting = () => {};

  /** Called once, with the socket that the events come from. */
  attach(socket: BunSocket): void {
    this.#socket = socket;
    if (this.#state === "closed") socket.terminate();
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || this.#failure !== undefined || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#unsentBytes += bytes.length;
    if (this.#queue.length === 1) this.#send();
  }

  open(events: ChannelEvents): void {
    this.#inbox.open(events);
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (this.#queue.length === 0) this.#end();
  }

  abort(): void {
    this.finish();
  }

  /** The process on the other side has ended, whoever else may hold its descriptor. */
  otherSideGone(): void {
    if (this.#state !== "closed") this.#stopWaiting = whenSilent(() => this.#chunks, () => this.finish());
  }

  received(chunk: Uint8Array): void {
    this.#chunks++;
    try {
      this.#inbox.data(chunk.length > CHUNK_BYTES ? chunk : this.#copied(chunk));
    } catch (error) {
      // Bun would take a fault of the reader for one of the socket.
      microtask(() => {
        throw error;
      });
    }
  }

  #copied(chunk: Uint8Array): Uint8Array {
    this.#memory.set(chunk);
    return this.#memory.subarray(0, chunk.length);
  }

  writable(): void {
    if (this.#queue.length === 0) return;
    this.#send();
    if (this.#queue.length > 0) return;
    if (this.#state === "ending") this.#end();
    else this.#inbox.drained();
  }

  finish(error?: Error): void {
    if (this.#state === "closed") return;
    const failure = this.#failure ?? (this.#state === "open" ? error : undefined);
    this.#state = "closed";
    this.#forget();
    this.#patience?.();
    this.#stopWaiting();
    this.#socket?.terminate();
    this.#inbox.closed(failure);
  }

  /** Bun takes what the kernel has room for; the rest waits for its `drain`. */
  #send(): void {
    while (this.#socket !== undefined) {
      const [bytes] = this.#queue;
      if (bytes === undefined) return;
      const written = this.#socket.write(bytes);
      if (written < 0) return this.#writeFailed();
      this.#unsentBytes -= written;
      if (written < bytes.length) {
        this.#queue[0] = bytes.subarray(written);
        return;
      }
      this.#queue.shift();
    }
  }

  #writeFailed(): void {
    this.#failure = new Error("Cannot write to the channel: the other side is gone");
    this.#forget();
    this.#expectEnd(LAST_WORDS_MS);
  }

  #end(): void {
    this.#socket?.shutdown();
    this.#expectEnd(LINGER_MS);
  }

  #expectEnd(ms: number): void {
    this.#patience ??= timer(ms, () => this.finish());
  }

  #forget(): void {
    this.#queue = [];
    this.#unsentBytes = 0;
  }
}
