import { joinBytes } from "../../core/bytes.ts";

/** Bytes of one line that are kept while its end has not come: a longer one is read in pieces. */
const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 10;

/** Bytes in chunks of any size to lines of text. Bytes that are no UTF-8 become U+FFFD. */
export class LineDecoder {
  // Chunks are cut at a line's end, since a decoder that keeps what stands between two chunks is half as fast.
  readonly #decoder = new TextDecoder();
  /** The beginning of a line whose end has not come. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  /** How many lines there were. */
  lines = 0;

  /** Calls `take` with each line that ends in `chunk`, without its line end. */
  push(chunk: Uint8Array, take: (line: string) => void): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return this.#keep(chunk, take);
    let from = 0;
    if (this.#restBytes > 0) {
      from = chunk.indexOf(NEWLINE) + 1;
      this.#keep(chunk.subarray(0, from - 1), take);
      this.end(take);
    }
    const text = this.#decoder.decode(chunk.subarray(from, end));
    for (let at = 0, stop = text.indexOf("\n"); stop !== -1; at = stop + 1, stop = text.indexOf("\n", at)) {
      this.lines++;
      take(text.slice(at, stop));
    }
    if (end < chunk.length) this.#keep(chunk.subarray(end), take);
  }

  /** Calls `take` with the last line, where it has no line end. */
  end(take: (line: string) => void): void {
    if (this.#restBytes === 0) return;
    const bytes = joinBytes(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    this.lines++;
    take(this.#decoder.decode(bytes));
  }

  #keep(part: Uint8Array, take: (line: string) => void): void {
    // A copy: the chunk is used again.
    this.#rest.push(part.slice());
    this.#restBytes += part.length;
    if (this.#restBytes > MAX_LINE_BYTES) this.end(take);
  }
}
