/** Standard input and output as a channel. Nothing but the protocol writes to it. */

import process from "node:process";
import { Inbox } from "../runtime/posix/channel.ts";
import type { Channel, ChannelEvents } from "../runtime/runtime.ts";
import type { CliError } from "./exit_codes.ts";
import { divertOutput, outputFailure } from "./output.ts";

export class StandardChannel implements Channel {
  readonly #inbox = new Inbox();
  /** The first chunk with more than white space, trimmed at its start; empty at the end of input. */
  readonly first: Promise<string>;
  readonly #write: typeof process.stdout.write;
  #wasLate = false;
  /** Why nothing can be written any more, unless the client closed its end. */
  failure: CliError | null = null;

  constructor() {
    this.#write = divertOutput().write;
    process.stdout.on("error", (error) => this.#failed(error));
    this.first = this.#read();
  }

  get unsentBytes(): number {
    return process.stdout.writableLength;
  }

  write(bytes: Uint8Array): void {
    try {
      this.#write(bytes, () => {
        if (!this.#wasLate || this.unsentBytes > 0) return;
        this.#wasLate = false;
        this.#inbox.drained();
      });
    } catch (error) {
      // Deno writes to files synchronously.
      this.#failed(error);
    }
    if (this.unsentBytes > 0) this.#wasLate = true;
  }

  /** Settles when everything is written, or can't be. */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.failure !== null) return resolve();
      this.#write("", () => resolve());
      process.stdout.once("error", () => resolve());
    });
  }

  #failed(error: unknown): void {
    this.failure ??= outputFailure(error);
    this.#inbox.closed(error instanceof Error ? error : new Error(String(error)));
  }

  async #read(): Promise<string> {
    return await new Promise((resolve) => {
      const ended = (error?: Error) => {
        this.#inbox.closed(error);
        resolve("");
      };
      process.stdin.once("end", () => ended());
      process.stdin.once("error", ended);
      process.stdin.on("data", (chunk: Uint8Array) => {
        this.#inbox.data(chunk);
        const text = new TextDecoder().decode(chunk).trimStart();
        if (text !== "") resolve(text);
      });
    });
  }

  open(events: ChannelEvents): void {
    this.#inbox.open(events);
  }

  close(): void {}

  abort(): void {}
}
