/**
 * Memory of large values that are settled, for the next large ones: new memory costs more than to copy a value into it. It is held
 * weakly, so that the engine may collect what is not used again.
 *
 * @module
 */

/** A value of so many bytes has memory of its own. */
export const LARGE_BYTES = 64 * 1024;
/** More buffers than this are left to the engine. */
const MAX_BUFFERS = 8;
/** A buffer is not used for a value that leaves most of it empty. */
const MAX_WASTE = 4;

export class BufferPool {
  #free: WeakRef<Uint8Array<ArrayBuffer>>[] = [];

  /** A buffer of at least `bytes`, with whatever was in it before. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    let index = 0;
    for (const free of this.#free) {
      const buffer = free.deref();
      if (buffer !== undefined && buffer.length >= bytes && buffer.length <= bytes * MAX_WASTE) {
        this.#free.splice(index, 1);
        return buffer;
      }
      index++;
    }
    return new Uint8Array(bytes);
  }

  /** Nothing reads or writes `buffer` any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length === MAX_BUFFERS) this.#free.shift();
    this.#free.push(new WeakRef(buffer));
  }
}
