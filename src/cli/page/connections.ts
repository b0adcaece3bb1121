/**
 * The connections to the page. Anyone on this machine can open one, and each takes a file descriptor that the broker's modules need:
 * there is a limit, and beyond it an idle connection is closed to make room. Those of browsers that show the page stay open, and receive
 * server-sent events.
 */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../../runtime/runtime.ts";

/** A response that takes longer is not being read. */
const ANSWER_MS = 10_000;
/** How long the response to a refused connection may take. */
const LAST_WORDS_MS = 100;
const MAX_LEAVING = 16;
const TEXT = "Too many are connected to the page\n";
const FULL = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n" +
  `Content-Length: ${TEXT.length}\r\n\r\n${TEXT}`;

export interface Connection {
  /** Whether one of its requests was allowed. */
  isKnown: boolean;
  /** Requests without a response yet. */
  running: number;
  /** Whether it receives server-sent events. */
  follows: boolean;
  /** Time of the last request or response. */
  activeAt: number;
}

export class Connections {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #open = new Map<Socket, Connection>();
  readonly #leaving = new Set<Socket>();

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Accepts a connection, or refuses it with status 503. */
  add(socket: Socket): void {
    if (this.#open.size >= this.#limit && !this.#makeRoom()) return this.#refuse(socket);
    this.#open.set(socket, { isKnown: false, running: 0, follows: false, activeAt: this.#clock.now() });
    socket.on("close", () => this.#open.delete(socket));
  }

  /** Registers a request. Returns its connection, or undefined if that was refused. */
  requested(socket: Socket, response: ServerResponse): Connection | undefined {
    const connection = this.#open.get(socket);
    if (connection === undefined) return undefined;
    connection.running++;
    connection.activeAt = this.#clock.now();
    response.on("close", () => {
      connection.running--;
      connection.follows = false;
      connection.activeAt = this.#clock.now();
    });
    return connection;
  }

  /** Closes an idle connection: first one without an allowed request, then the one idle for longest. */
  #makeRoom(): boolean {
    const now = this.#clock.now();
    const idle = [...this.#open].filter(([, { running, follows, activeAt }]) =>
      !follows && (running === 0 || now - activeAt > ANSWER_MS)
    );
    const [last] = idle.find(([, { isKnown }]) => !isKnown) ??
      idle.toSorted(([, one], [, other]) => one.activeAt - other.activeAt)[0] ?? [];
    if (last === undefined) return false;
    this.#open.delete(last);
    last.destroy();
    return true;
  }

  #refuse(socket: Socket): void {
    const [first] = this.#leaving;
    if (this.#leaving.size >= MAX_LEAVING) first?.destroy();
    this.#leaving.add(socket);
    const clear = this.#clock.timer(LAST_WORDS_MS, () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => {
      clear();
      this.#leaving.delete(socket);
    });
    socket.end(FULL);
  }
}

/** More unread data than this, and it is disconnected. The first message alone has the history of an hour. */
const UNREAD_BYTES = 8 * 1_048_576;
const AGAIN_MS = 2_000;

/** The browsers that show the page now. One that does not read is disconnected, so that it costs the broker no memory; it connects again by itself. */
export class Live {
  readonly #most: number;
  readonly #open = new Set<ServerResponse>();

  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#most;
  }

  add(response: ServerResponse, event: string, first: unknown): void {
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
    response.on("error", () => this.#open.delete(response));
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`retry: ${AGAIN_MS}\n${message(event, first)}`);
  }

  send(event: string, data: unknown): void {
    if (this.#open.size === 0) return;
    const text = message(event, data);
    for (const response of this.#open) {
      if (response.writableLength > UNREAD_BYTES) this.#cut(response);
      else response.write(text);
    }
  }

  close(): void {
    for (const response of this.#open) this.#cut(response);
  }

  #cut(response: ServerResponse): void {
    this.#open.delete(response);
    response.destroy();
  }
}

function message(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
