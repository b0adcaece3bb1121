/**
 * Ids that were stepped over by a peer whose ids count up, as the ranges that they are: one that steps far costs no more than one
 * that steps over a single id.
 *
 * @module
 */

/** Beyond it the oldest range is forgotten. */
const MAX_GAPS = 8_192;

interface Gap {
  from: number;
  /** The first id behind it. */
  to: number;
}

export class IdGaps {
  /** By their ids. */
  #gaps: Gap[] = [];

  get size(): number {
    return this.#gaps.length;
  }

  /** The ids from `from` to before `to`, which are above all that were added before, were stepped over. */
  add(from: number, to: number): void {
    this.#gaps.push({ from, to });
    this.#bound();
  }

  /** Whether `id` was stepped over; from now on it was not. */
  take(id: number): boolean {
    const index = this.#firstEndingAbove(id);
    const gap = this.#gaps[index];
    if (gap === undefined || id < gap.from) return false;
    const behind = { from: id + 1, to: gap.to };
    gap.to = id;
    if (gap.from === gap.to && behind.from === behind.to) this.#gaps.splice(index, 1);
    else if (gap.from === gap.to) this.#gaps[index] = behind;
    else if (behind.from < behind.to) {
      this.#gaps.splice(index + 1, 0, behind);
      this.#bound();
    }
    return true;
  }

  /** Nobody will ask for an id below `id`. */
  forgetBelow(id: number): void {
    if (this.#gaps.length === 0) return;
    this.#gaps.splice(0, this.#firstEndingAbove(id));
    const [first] = this.#gaps;
    if (first !== undefined && first.from < id) first.from = id;
  }

  #bound(): void {
    if (this.#gaps.length > MAX_GAPS) this.#gaps.shift();
  }

  #firstEndingAbove(id: number): number {
    let [low, high] = [0, this.#gaps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#gaps[middle]?.to ?? 0) > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
