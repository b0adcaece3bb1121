import type { Channel, ChannelEvents } from "../../src/runtime/runtime.ts";

/** One end of a channel in memory. What is written is delivered to the other end in a later microtask. */
export class MemoryChannel implements Channel {
  #events: ChannelEvents | undefined;
  #peer: MemoryChannel | undefined;
  #kept: Uint8Array[] = [];
  #stuck: Uint8Array[] = [];
  #isStuck = false;
  #isBlocked = false;
  #closed = false;
  /** Everything that was written at this end. */
  readonly written: Uint8Array[] = [];
  /** The same as it was handed over: its writer may use the memory again when nothing is unsent. */
  readonly handed: Uint8Array[] = [];
  unsentBytes = 0;
  /** What arrives of what is written here, in which chunks. */
  relay: (bytes: Uint8Array) => Iterable<Uint8Array> = (bytes) => [bytes];

  static pair(): [MemoryChannel, MemoryChannel] {
    const [a, b] = [new MemoryChannel(), new MemoryChannel()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(given: Uint8Array): void {
    if (this.#closed) return;
    const bytes = given.slice();
    this.written.push(bytes);
    this.handed.push(given);
    if (this.#isStuck) {
      this.#stuck.push(given);
      this.unsentBytes += bytes.length;
    } else {
      queueMicrotask(() => {
        for (const chunk of this.relay(bytes)) this.#peer?.deliver(chunk);
      });
    }
  }

  /** From now on nothing leaves this end. */
  stick(): void {
    this.#isStuck = true;
  }

  /** Lets go what was stuck. */
  release(): void {
    this.#isStuck = false;
    this.unsentBytes = 0;
    for (const bytes of this.#stuck.splice(0)) this.#peer?.deliver(bytes);
    this.#events?.drained();
  }

  /** From now on this end's process stands still: what comes is kept for it. */
  block(): void {
    this.#isBlocked = true;
  }

  /** Loses what was kept for this end. */
  drop(): void {
    this.#kept.length = 0;
  }

  unblock(): void {
    this.#isBlocked = false;
    for (const bytes of this.#kept.splice(0)) this.deliver(bytes);
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    this.unblock();
  }

  /** Bytes as if the other end had written them. */
  deliver(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#events === undefined || this.#isBlocked) this.#kept.push(bytes);
    else this.#events.data(bytes);
  }

  /** As if a write at this end had failed. */
  fail(reason: string): void {
    this.#closed = true;
    this.#events?.closed(new Error(reason));
  }

  abort(): void {
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => {
      this.#events?.closed();
      this.#peer?.close();
    });
  }
}
