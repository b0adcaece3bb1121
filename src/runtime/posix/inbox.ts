import { microtask } from "./clock.ts";
import type { ChannelEvents } from "../runtime.ts";

/** Holds what arrives before a channel is opened, and sees to it that `closed` comes once, last and after `open` returned. */
export class Inbox {
  #events: ChannelEvents | undefined;
  #held: ((events: ChannelEvents) => void)[] | undefined = [];
  #closed = false;

  data(chunk: Uint8Array): void {
    const kept = this.#held === undefined ? chunk : Uint8Array.from(chunk);
    this.#deliver((events) => events.data(kept));
  }

  drained(): void {
    if (this.#events !== undefined) this.#deliver((events) => events.drained());
  }

  closed(error?: Error): void {
    this.#deliver((events) => error === undefined ? events.closed() : events.closed(error));
    this.#closed = true;
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    microtask(() => {
      const held = this.#held ?? [];
      for (const event of held) event(events);
      this.#held = undefined;
    });
  }

  #deliver(event: (events: ChannelEvents) => void): void {
    if (this.#closed) return;
    if (this.#held !== undefined || this.#events === undefined) this.#held?.push(event);
    else event(this.#events);
  }
}
