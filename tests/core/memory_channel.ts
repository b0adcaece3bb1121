import type { Channel, ChannelEvents } from "../../src/runtime/runtime.ts";

/** One end of a channel in memory. What is written is delivered to the other end in a later microtask. */
export class MemoryChannel implements Channel {
  #events: ChannelEvents | undefined;
  #peer: MemoryChannel | undefined;
  #early: Uint8Array[] = [];
  #closed = false;
  /** Everything that was written at this end. */
  readonly written: Uint8Array[] = [];
  /** While true, nothing leaves this end. */
  stuck = false;
  unsentBytes = 0;

  static pair(): [MemoryChannel, MemoryChannel] {
    const [a, b] = [new MemoryChannel(), new MemoryChannel()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    if (this.stuck) this.unsentBytes += bytes.length;
    else queueMicrotask(() => this.#peer?.deliver(bytes));
  }

  /** Lets go what was stuck. */
  release(): void {
    this.stuck = false;
    this.unsentBytes = 0;
    this.#events?.drained();
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    for (const bytes of this.#early.splice(0)) events.data(bytes);
  }

  /** Bytes as if the other end had written them. */
  deliver(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#events === undefined) this.#early.push(bytes);
    else this.#events.data(bytes);
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
