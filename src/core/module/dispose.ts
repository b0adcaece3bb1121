/** What a module owns in one process, each disposed of once by the way that is customary for it. */

import { attempt } from "../checks.ts";
import { applyUser } from "../user_code.ts";

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

const LASTING: readonly (string | symbol)[] = [...SYMBOLS, "close", "destroy", "end"];
/** Order of preference: the first that a resource has is called. What is only cleared can be filled again, and says nothing of its end. */
const WAYS: readonly (string | symbol)[] = [...LASTING, "clear"];
/** How stacks, streams, sockets and files say that they have ended. */
const ENDED = ["disposed", "destroyed", "closed"];

export function canDispose(resource: unknown): boolean {
  return typeof resource === "function" || wayOf(resource) !== undefined;
}

/** Whether `resource` says itself that it was disposed of; one that throws when it is looked at does not. */
export function isDisposed(resource: unknown): boolean {
  const way = attempt(() => wayOf(resource));
  return way !== undefined && LASTING.includes(way.name) && ENDED.some((state) => way.read(state) === true);
}

/** Disposes of `resource`; settles when that is over, with what went wrong. */
export async function dispose(resource: unknown): Promise<void> {
  const way = wayOf(resource);
  if (way !== undefined) await way.call();
  else if (typeof resource === "function") await applyUser(resource, undefined, []);
}

interface Way {
  readonly name: string | symbol;
  call(): unknown;
  /** A property of the resource, or undefined where its getter throws. */
  read(property: string): unknown;
}

function wayOf(resource: unknown): Way | undefined {
  if ((typeof resource !== "object" && typeof resource !== "function") || resource === null) return undefined;
  for (const name of WAYS) {
    const method: unknown = Reflect.get(resource, name);
    if (typeof method !== "function") continue;
    return {
      name,
      call: () => applyUser(method, resource, []),
      read: (property) => attempt(() => Reflect.get(resource, property)),
    };
  }
  return undefined;
}
