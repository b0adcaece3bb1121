/**
 * Who lies where in a file that several frames share until their reader has taken them, oldest first.
 *
 * @module
 */

interface Place {
  readonly start: number;
  readonly end: number;
}

export class Places {
  readonly #capacity: number;
  /** In the order of their frames. */
  #taken: Place[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isEmpty(): boolean {
    return this.#taken.length === 0;
  }

  /** Takes the lowest room for `bytes`, so that the same memory is used again and again. Undefined where there is none. */
  take(bytes: number): number | undefined {
    let start = 0;
    for (const place of [...this.#taken].sort((one, other) => one.start - other.start)) {
      if (place.start - start >= bytes) break;
      start = place.end;
    }
    if (this.#capacity - start < bytes) return undefined;
    this.#taken.push({ start, end: start + bytes });
    return start;
  }

  /** What was taken last will not be used. */
  takeBack(): void {
    this.#taken.pop();
  }

  /** The oldest `count` are free. False where there are not so many. */
  free(count: number): boolean {
    if (count > this.#taken.length) return false;
    this.#taken.splice(0, count);
    return true;
  }
}
