/**
 * Bytes of one thing that comes in chunks, in memory that grows with them and never over a limit.
 *
 * @module
 */

const FIRST_BYTES = 4096;

export class Gathered {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #kept = 0;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** All that came, what was over the limit included. */
  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes > this.#limit;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.isOver) {
      this.#buffer = new Uint8Array(0);
      this.#kept = 0;
      return;
    }
    this.#makeRoom(this.#kept + part.length);
    this.#buffer.set(part, this.#kept);
    this.#kept += part.length;
  }

  /** What came, where it is not over the limit; the next thing begins. */
  take(): Uint8Array {
    const whole = this.#buffer.subarray(0, this.#kept);
    this.#buffer = new Uint8Array(0);
    this.#kept = 0;
    this.#bytes = 0;
    return whole;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.min(this.#limit, Math.max(FIRST_BYTES, bytes, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#kept));
    this.#buffer = grown;
  }
}
