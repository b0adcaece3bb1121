/**
 * What a handler yields, on its way to the caller: as much as the caller has room for, and no further.
 *
 * @module
 */

import type { BrokerFault } from "../faults.ts";

/** Items that the caller has not taken yet: beyond it the handler waits. */
export const WINDOW_BYTES = 256 * 1024;
export const WINDOW_ITEMS = 1_024;

/** What the handler returned, or why its items could not all be sent. */
export type StreamEnd = { readonly value: unknown } | BrokerFault;

/** Hands one item over. Returns its bytes, or why it can't be sent. */
export type SendItem = (item: unknown) => number | BrokerFault;

export class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  /** Bytes of the items that were not taken yet, oldest first. */
  #sizes: number[] = [];
  #bytes = 0;
  #taken = 0;
  #wake: (() => void) | undefined;
  #isStopped = false;
  #end: StreamEnd = { value: undefined };
  /** What `return` of the handler's iterator comes to, once the stream is stopped. */
  readonly #stopped: Promise<StreamEnd>;
  #settleStopped: (end: Promise<StreamEnd>) => void = () => {};

  constructor(iterable: AsyncIterable<unknown> | Iterable<unknown>) {
    this.#stopped = new Promise((resolve) => this.#settleStopped = resolve);
    this.#iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  }

  /**
   * Sends item after item; resolves with what the handler returned, or with why an item could not be sent.
   *
   * @throws whatever the handler's iterator throws.
   */
  async run(send: SendItem): Promise<StreamEnd> {
    // An iterator that was told to end may leave its last step open for ever.
    return await Promise.race([this.#steps(send), this.#stopped]);
  }

  async #steps(send: SendItem): Promise<StreamEnd> {
    while (!this.#isStopped) {
      const step = await this.#iterator.next();
      if (step.done === true) return { value: step.value };
      if (this.#isStopped) break;
      const sent = send(step.value);
      if (typeof sent !== "number") {
        this.#end = sent;
        this.stop();
        break;
      }
      this.#sizes.push(sent);
      this.#bytes += sent;
      if (this.#bytes >= WINDOW_BYTES || this.#sizes.length >= WINDOW_ITEMS) await this.#room();
    }
    return await this.#stopped;
  }

  /** The caller has taken `count` items since the stream began. */
  took(count: number): void {
    const taken = this.#sizes.splice(0, Math.max(0, count - this.#taken));
    this.#taken += taken.length;
    for (const bytes of taken) this.#bytes -= bytes;
    this.#wake?.();
  }

  /** Ends the handler at its next `yield`: its `finally` blocks run. Whoever runs the stream gets what they throw. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#settleStopped(this.#return());
    this.#wake?.();
  }

  /** Async, so that nothing is thrown at who stops the stream, not even by an iterator whose `return` is no async function. */
  async #return(): Promise<StreamEnd> {
    await this.#iterator.return?.();
    return this.#end;
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }
}
