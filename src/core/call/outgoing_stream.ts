/**
 * What a handler yields, on its way to the caller: as much as the caller has room for, and no further.
 *
 * @module
 */

import type { BrokerFault } from "./wire_error.ts";

/** Items that the caller has not taken yet: beyond it the handler waits. */
const WINDOW_BYTES = 256 * 1024;
const WINDOW_ITEMS = 1_024;

/** Hands one item over. Returns its bytes, or why it can't be sent. */
export type SendItem = (item: unknown) => number | BrokerFault;

export class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  /** Bytes of the items that were not taken yet, oldest first. */
  #sizes: number[] = [];
  #bytes = 0;
  #taken = 0;
  #wake: (() => void) | undefined;
  #returned: Promise<unknown> | undefined;

  constructor(iterable: AsyncIterable<unknown> | Iterable<unknown>) {
    this.#iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  }

  /** Sends item after item; resolves with what the handler returned, or with why an item could not be sent. */
  async run(send: SendItem): Promise<{ value: unknown } | BrokerFault> {
    while (this.#returned === undefined) {
      const step = await this.#iterator.next();
      if (step.done === true) return { value: step.value };
      if (this.#returned !== undefined) break;
      const sent = send(step.value);
      if (typeof sent !== "number") {
        this.stop();
        await this.#returned;
        return sent;
      }
      this.#sizes.push(sent);
      this.#bytes += sent;
      if (this.#bytes >= WINDOW_BYTES || this.#sizes.length >= WINDOW_ITEMS) await this.#room();
    }
    await this.#returned;
    return { value: undefined };
  }

  /** The caller has taken `count` items since the stream began. */
  took(count: number): void {
    const taken = this.#sizes.splice(0, Math.max(0, count - this.#taken));
    this.#taken += taken.length;
    for (const bytes of taken) this.#bytes -= bytes;
    this.#wake?.();
  }

  /** Ends the handler at its next `yield`: its `finally` blocks run. */
  stop(): void {
    this.#returned ??= Promise.resolve(this.#iterator.return?.());
    // Whoever runs the stream gets its error.
    this.#returned.catch(() => {});
    this.#wake?.();
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }
}
