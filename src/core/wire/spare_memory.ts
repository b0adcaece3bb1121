/**
 * Memory of large values that are settled, for the next large ones: new memory costs more than to copy a value into it. It is held
 * as garbage is, until the engine collects it, so that nobody keeps it for nothing.
 *
 * @module
 */

/** A value of so many bytes has memory of its own. */
export const LARGE_BYTES = 64 * 1024;
/** More that is spare at a time is left to the engine. */
const MAX_SPARES = 8;
/** Memory is not used for a value that leaves most of it empty. */
const MAX_WASTE = 4;

export class SpareMemory {
  #spares: WeakRef<Uint8Array<ArrayBuffer>>[] = [];

  /** Memory of at least `bytes`. What was in it is still there. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    let index = 0;
    for (const spare of this.#spares) {
      const memory = spare.deref();
      if (memory !== undefined && memory.length >= bytes && memory.length <= bytes * MAX_WASTE) {
        this.#spares.splice(index, 1);
        return memory;
      }
      index++;
    }
    return new Uint8Array(bytes);
  }

  /** Nobody reads or writes `memory` any more. */
  give(memory: Uint8Array<ArrayBuffer>): void {
    if (this.#spares.length === MAX_SPARES) this.#spares.shift();
    this.#spares.push(new WeakRef(memory));
  }
}
