/**
 * Things by their ids, where ids count up and most things are gone soon: a ring, and a map for what stays longer. A Map alone costs
 * three times as much, and rehashes as it goes.
 *
 * @module
 */

const SMALLEST_RING = 256;
const LARGEST_RING = 16_384;

/** Ids are whole numbers from 1. */
export class ById<T extends { readonly id: number }> {
  #ring: (T | undefined)[] = new Array<T | undefined>(SMALLEST_RING).fill(undefined);
  #mask = SMALLEST_RING - 1;
  readonly #old = new Map<number, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    const thing = this.#ring[id & this.#mask];
    if (thing !== undefined && thing.id === id) return thing;
    return this.#old.size === 0 ? undefined : this.#old.get(id);
  }

  /** Adds what is not there yet. */
  add(thing: T): void {
    if (this.#size > this.#mask >> 1 && this.#mask < LARGEST_RING - 1) this.#grow();
    this.#size++;
    this.#put(thing);
  }

  delete(id: number): boolean {
    const place = id & this.#mask;
    if (this.#ring[place]?.id === id) this.#ring[place] = undefined;
    else if (!this.#old.delete(id)) return false;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#ring = new Array<T | undefined>(SMALLEST_RING).fill(undefined);
    this.#mask = SMALLEST_RING - 1;
    this.#old.clear();
    this.#size = 0;
  }

  /** All, by their ids. */
  sorted(): T[] {
    const all = [...this.#old.values()];
    for (const thing of this.#ring) if (thing !== undefined) all.push(thing);
    return all.sort((a, b) => a.id - b.id);
  }

  #put(thing: T): void {
    const place = thing.id & this.#mask;
    const there = this.#ring[place];
    if (there !== undefined) this.#old.set(there.id, there);
    this.#ring[place] = thing;
  }

  #grow(): void {
    const ring = this.#ring;
    this.#mask = this.#mask * 2 + 1;
    this.#ring = new Array<T | undefined>(this.#mask + 1).fill(undefined);
    for (const thing of ring) if (thing !== undefined) this.#put(thing);
  }
}
