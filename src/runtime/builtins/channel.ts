/** Channels over the streams and sockets of `node:stream` and `node:net`, which Node and Bun have. */

import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { Inbox } from "../posix/channel.ts";
import type { TcpPlace } from "../posix/answers.ts";
import { timer, whenSilent } from "../posix/clock.ts";
import { cannotListen } from "../posix/failure_reason.ts";
import type { Channel, ChannelEvents, Listener } from "../runtime.ts";
import { process } from "./process.ts";

/** How long a channel that this side ended waits for the other side's end. */
export const LINGER_MS = 1_000;

/** After a failed write the other side is gone, and what it sent before is still to be read. */
const LAST_WORDS_MS = 1_000;

export interface StreamChannelOptions {
  /** How long to wait for the other side's end after ours; for ever when absent. */
  readonly lingerMs?: number;
}

/** A channel over Node's streams: one for each direction, or one socket for both. */
export class StreamChannel implements Channel {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #lingerMs: number | undefined;
  readonly #inbox = new Inbox();
  #state: "open" | "ending" | "closed" = "open";
  #failure: Error | undefined;
  #wasLate = false;
  #chunks = 0;
  #patience: (() => void) | undefined;
  #stopWaiting = () => {};

  constructor(input: Readable, output: Writable, options: StreamChannelOptions = {}) {
    this.#input = input;
    this.#output = output;
    this.#lingerMs = options.lingerMs;
    input.on("data", (chunk: Uint8Array) => this.received(chunk));
    input.once("end", () => this.#finish());
    input.once("close", () => this.#finish());
    input.on("error", (error) => this.#finish(error));
    if (Object.is(input, output)) return;
    output.on("error", (error) => this.#writeFailed(error));
  }

  get unsentBytes(): number {
    return this.#failure === undefined && this.#state !== "closed" ? this.#output.writableLength : 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || this.#failure !== undefined || bytes.length === 0) return;
    this.#output.write(bytes, this.#sent);
    if (this.#output.writableLength > 0) this.#wasLate = true;
  }

  open(events: ChannelEvents): void {
    this.#inbox.open(events);
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#output.end(() => {
      if (this.#lingerMs !== undefined) this.#expectEnd(this.#lingerMs);
    });
  }

  abort(): void {
    if (this.#state === "open") this.#state = "ending";
    this.#finish();
  }

  /** A chunk that the input does not emit as an event. Its memory is reused after this returns. */
  received(chunk: Uint8Array): void {
    this.#chunks++;
    this.#inbox.data(chunk);
  }

  /** The process on the other side has ended, whoever else may hold its descriptors. */
  otherSideGone(): void {
    if (this.#state !== "closed") this.#stopWaiting = whenSilent(() => this.#chunks, () => this.#finish());
  }

  readonly #sent = (error?: Error | null): void => {
    if (error) return this.#writeFailed(error);
    if (!this.#wasLate || this.#output.writableLength > 0) return;
    this.#wasLate = false;
    if (this.#state === "open") this.#inbox.drained();
  };

  #writeFailed(error: Error): void {
    if (this.#state === "closed") return;
    this.#failure ??= error;
    this.#expectEnd(LAST_WORDS_MS);
  }

  #expectEnd(ms: number): void {
    if (this.#state !== "closed") this.#patience ??= timer(ms, () => this.#finish());
  }

  #finish(error?: Error): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    this.#patience?.();
    this.#stopWaiting();
    this.#output.destroy();
    this.#input.destroy();
    this.#inbox.closed(this.#failure ?? (wasOpen ? error : undefined));
  }
}

const OWNER_ONLY = 0o177;

/** Serves a unix socket that no other user can open at any time. */
export async function listen(path: string, accept: (channel: Channel) => void): Promise<Listener> {
  const server = createServer((socket) => accept(socketChannel(socket)));
  await bound(server, path);
  // Accepting fails where every descriptor is in use; the server goes on.
  server.on("error", () => {});
  return { close: () => void server.close() };
}

export function connect(path: string): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socketChannel(socket));
    });
  });
}

/** Whether a TCP connection is accepted before `late`. */
export function connects({ hostname: host, port }: TcpPlace, late: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const settle = (isAccepted: boolean) => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
    late.addEventListener("abort", () => settle(false));
  });
}

function socketChannel(socket: Socket): Channel {
  return new StreamChannel(socket, socket, { lingerMs: LINGER_MS });
}

/** Binding takes the mode from the process' mask and happens within `listen()`, for which the mask is changed. */
function bound(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(cannotListen(path, cause)));
    const mask = process.umask(OWNER_ONLY);
    try {
      server.listen({ path }, resolve);
    } finally {
      process.umask(mask);
    }
  });
}
