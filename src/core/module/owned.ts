/**
 * What a module owns in one process, each disposed of once.
 *
 * @module
 */

import { dispose, isDisposed } from "./dispose.ts";

const SYMBOLS = [Symbol.asyncDispose, Symbol.dispose];
/** Resources beside which it is not worth looking for those that have ended. */
const FEW = 64;

export class Owned {
  readonly #resources = new Set<unknown>();
  readonly #watched = new WeakSet<object>();
  #manyAt = FEW;

  constructor(resources: readonly unknown[] = []) {
    for (const resource of resources) this.add(resource);
  }

  /** How many are kept to be disposed of. */
  get size(): number {
    return this.#resources.size;
  }

  add(resource: unknown): void {
    this.#resources.add(resource);
    if ((typeof resource === "object" && resource !== null) || typeof resource === "function") this.#watch(resource);
    if (this.size < this.#manyAt) return;
    for (const kept of this.#resources) if (isDisposed(kept)) this.#resources.delete(kept);
    this.#manyAt = Math.max(FEW, this.size * 2);
  }

  /** What disposes of each, in the order they were added; nothing where the resource was disposed of by then. */
  disposals(): (() => Promise<void>)[] {
    return [...this.#resources].map((resource) => async () => {
      if (this.#resources.delete(resource) && !isDisposed(resource)) await dispose(resource);
    });
  }

  // A `using` declaration, a hook or the program itself may dispose of it first, and few resources say so afterwards.
  #watch(resource: object): void {
    if (this.#watched.has(resource)) return;
    this.#watched.add(resource);
    for (const symbol of SYMBOLS) {
      const method: unknown = Reflect.get(resource, symbol);
      if (typeof method !== "function") continue;
      const resources = this.#resources;
      // Where it is frozen nothing is noted, and it must bear to be disposed of twice.
      Reflect.defineProperty(resource, symbol, {
        configurable: true,
        writable: true,
        value(this: unknown) {
          resources.delete(resource);
          return Reflect.apply(method, this, []);
        },
      });
    }
  }
}
