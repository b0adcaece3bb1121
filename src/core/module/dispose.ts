/**
 * Disposing of anything that has a customary way to be disposed of.
 *
 * @module
 */

import { applyUser } from "../log/user_stack.ts";

/** Order of preference: the first that a resource has is called. */
const WAYS: readonly (string | symbol)[] = [Symbol.asyncDispose, Symbol.dispose, "close", "destroy", "end", "clear"];
/** What is only cleared can be filled again, and says nothing of its end. */
const LASTING: ReadonlySet<string | symbol> = new Set(WAYS.filter((way) => way !== "clear"));
/** How stacks, streams, sockets and files say that they have ended. */
const ENDED = ["disposed", "destroyed", "closed"];

/** Whether {@link dispose} knows what to do with `resource`. */
export function canDispose(resource: unknown): boolean {
  return typeof resource === "function" || wayOf(resource) !== undefined;
}

/** Whether `resource` says itself that it was disposed of; one that throws when it is looked at does not. */
export function isDisposed(resource: unknown): boolean {
  try {
    const way = wayOf(resource);
    return way !== undefined && LASTING.has(way.name) && ENDED.some((state) => way.read(state) === true);
  } catch {
    return false;
  }
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
      read: (property) => readProperty(resource, property),
    };
  }
  return undefined;
}

function readProperty(resource: object, property: string): unknown {
  try {
    return Reflect.get(resource, property);
  } catch {
    return undefined;
  }
}
