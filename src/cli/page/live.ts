/**
 * The browsers that show the page now, which receive server-sent events. One that does not read is disconnected, so that it costs
 * the broker no memory; it connects again by itself.
 */

import type { ServerResponse } from "node:http";

/** More unread data than this, and it is disconnected. The first message alone has the history of an hour. */
const UNREAD_BYTES = 8 * 1_048_576;
const AGAIN_MS = 2_000;

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
