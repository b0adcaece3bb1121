import { fileSystem } from "../builtins/process.ts";
import { Inbox } from "../posix/channel.ts";
import { microtask, pause, timer, whenSilent } from "../posix/clock.ts";
import { boundStart } from "../posix/socket_path.ts";
import type { Channel, ChannelEvents } from "../runtime.ts";
import type { BunNamespace, BunSocket } from "./namespace.ts";

declare const Bun: BunNamespace;

const LINGER_MS = 1_000;
/** After a failed write the other side is gone, and what it sent before is still to be read. */
const LAST_WORDS_MS = 1_000;

/** A channel over one descriptor of a socket pair. */
export function descriptorChannel(fd: number): Promise<BunChannel> {
  return socketChannel({ fd });
}

async function socketChannel(place: { readonly fd: number } | { readonly unix: string }): Promise<BunChannel> {
  const channel = new BunChannel();
  channel.attach(
    await Bun.connect({
      ...place,
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
      this.#inbox.data(chunk);
    } catch (error) {
      // Bun would take a fault of the reader for one of the socket.
      microtask(() => {
        throw error;
      });
    }
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

const PAUSE_MS = 50;
const TRIES = 10;
/** Flags of a socket that listens, in /proc/net/unix. */
const LISTENS = "00010000";

/**
 * Bun reports a listener that is too busy for one more connection like a socket whose listener is dead. Where nothing listens in the
 * folder, the listener is dead; otherwise it gets time. @throws with code `EAGAIN` when it is still busy then.
 */
export async function connect(path: string): Promise<Channel> {
  for (let tries = 1;; tries++) {
    try {
      return await socketChannel({ unix: path });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ECONNREFUSED") throw error;
      const listeners = listenersIn(path.slice(0, path.lastIndexOf("/") + 1));
      if (listeners?.length === 0) throw error;
      if (tries === TRIES) throw isServed(path, listeners) ? busy(path, error) : error;
      await pause(PAUSE_MS);
    }
  }
}

/** Whether one of `listeners` is that of `path`, by whichever name it was bound. */
function isServed(path: string, listeners: readonly string[] | null): boolean {
  const start = boundStart(path);
  return listeners?.some((bound) => bound === path || bound.startsWith(start)) ?? false;
}

function busy(path: string, cause: Error): Error {
  const text = `Cannot connect to "${path}": its listener takes no more connections`;
  return Object.assign(new Error(text, { cause }), { code: "EAGAIN" });
}

/** Paths to which the sockets that listen in `folder` were bound; null where the system does not say. */
function listenersIn(folder: string): string[] | null {
  try {
    const sockets = fileSystem().readFileSync("/proc/net/unix", "utf8").split("\n").map((line) =>
      line.trim().split(/\s+/)
    );
    return sockets.flatMap(([, , , flags, , , , ...words]) => {
      const path = words.join(" ");
      return flags === LISTENS && path.startsWith(folder) ? [path] : [];
    });
  } catch {
    return null;
  }
}
