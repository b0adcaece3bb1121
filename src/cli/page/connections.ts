/**
 * The connections to the page. Anybody on this machine can make one, and each costs the broker a descriptor that its modules need:
 * there is a limit, and beyond it one that does nothing makes room.
 *
 * @module
 */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../../runtime/runtime.ts";

/** An answer that takes longer is one that nobody reads. */
const ANSWER_MS = 10_000;
/** The answer to one that finds no room has this time to arrive. */
const LAST_WORDS_MS = 100;
const MAX_LEAVING = 16;
const TEXT = "Too many are connected to the page\n";
const FULL = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n" +
  `Content-Length: ${TEXT.length}\r\n\r\n${TEXT}`;

interface Connection {
  /** Whether one of its requests was allowed. */
  isKnown: boolean;
  /** Requests that are not answered yet. */
  running: number;
  /** Whether it follows what happens. */
  follows: boolean;
  /** When the last request came or was answered. */
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

  /** Takes a connection in, or answers it that there is no room. */
  add(socket: Socket): void {
    if (this.#open.size >= this.#limit && !this.#makeRoom()) return this.#refuse(socket);
    this.#open.set(socket, { isKnown: false, running: 0, follows: false, activeAt: this.#clock.now() });
    socket.on("close", () => this.#open.delete(socket));
  }

  /** A request has come. False where its connection is none that was taken in. */
  requested(socket: Socket, response: ServerResponse): boolean {
    const connection = this.#open.get(socket);
    if (connection === undefined) return false;
    connection.running++;
    connection.activeAt = this.#clock.now();
    response.on("close", () => {
      connection.running--;
      connection.follows = false;
      connection.activeAt = this.#clock.now();
    });
    return true;
  }

  /** The request was one that is allowed. */
  allowed(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.isKnown = true;
  }

  /** The answer goes on for as long as the connection. */
  follows(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.follows = true;
  }

  /** Ends a connection that does nothing: a stranger's first, then the one that has done nothing for longest. */
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
