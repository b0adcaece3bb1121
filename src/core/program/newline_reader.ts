/**
 * Messages that stand one a line.
 *
 * @module
 */

import type { FramingEvents, MessageReader } from "./framing.ts";
import { tooLong } from "./framing_error.ts";
import { LineSplitter } from "./line_splitter.ts";

export class NewlineReader implements MessageReader {
  readonly #events: FramingEvents;
  readonly #limit: number;
  readonly #lines: LineSplitter;

  constructor(events: FramingEvents, limit: number) {
    this.#events = events;
    this.#limit = limit;
    this.#lines = new LineSplitter(limit);
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const { at, line } = this.#lines.next(chunk, from);
      if (line !== undefined) this.#take(line);
      from = at;
    }
  }

  end(): void {
    this.#take(this.#lines.rest());
  }

  #take(line: string | number): void {
    if (typeof line === "number") this.#events.dropped(tooLong(line, this.#limit));
    else if (line.trim() !== "") this.#events.message(line);
  }
}
