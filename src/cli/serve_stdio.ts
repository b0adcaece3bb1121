/**
 * Standard input and output of this process as a channel that nothing but the protocol writes to.
 *
 * @module
 */

import { Console } from "node:console";
import process from "node:process";
import { Inbox } from "../runtime/inbox.ts";
import type { Channel, ChannelEvents } from "../runtime/runtime.ts";

export class StandardChannel implements Channel {
  readonly #inbox = new Inbox();
  /** The first chunk that is not white space, from where it is not; empty where nothing comes. */
  readonly first: Promise<string>;
  readonly #write: typeof process.stdout.write;
  #wasLate = false;

  /** From now on what code of this process prints goes to standard error. */
  constructor() {
    this.#write = process.stdout.write.bind(process.stdout);
    process.stdout.on("error", (error) => this.#inbox.closed(error));
    process.stdout.write = process.stderr.write.bind(process.stderr);
    globalThis.console = new Console(process.stderr, process.stderr);
    this.first = this.#read();
  }

  get unsentBytes(): number {
    return process.stdout.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#write(bytes, () => {
      if (!this.#wasLate || this.unsentBytes > 0) return;
      this.#wasLate = false;
      this.#inbox.drained();
    });
    if (this.unsentBytes > 0) this.#wasLate = true;
  }

  /** Settles when all that was written is out, or nobody reads it. */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#write("", () => resolve());
      process.stdout.once("error", () => resolve());
    });
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
}
