import type { Readable, Writable } from "node:stream";
import { timer } from "./clock.ts";
import { Inbox } from "./inbox.ts";
import type { Channel, ChannelEvents } from "../runtime.ts";
import { whenSilent } from "./silence.ts";

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

  /** A chunk that the input does not tell as an event, and whose memory is its own again afterwards. */
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
