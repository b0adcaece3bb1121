/**
 * Disposing of anything that has a customary way to be disposed of.
 *
 * @module
 */

/** Order of preference: the first that a resource has is called. */
const WAYS: readonly (string | symbol)[] = [Symbol.asyncDispose, Symbol.dispose, "close", "destroy", "end", "clear"];

/** Whether {@link dispose} knows what to do with `resource`. */
export function canDispose(resource: unknown): boolean {
  return typeof resource === "function" || wayOf(resource) !== undefined;
}

/** Disposes of `resource`; settles when that is over, with what went wrong. */
export async function dispose(resource: unknown): Promise<void> {
  const way = wayOf(resource);
  if (way !== undefined) await way();
  else if (typeof resource === "function") await resource();
}

function wayOf(resource: unknown): (() => unknown) | undefined {
  if ((typeof resource !== "object" && typeof resource !== "function") || resource === null) return undefined;
  for (const name of WAYS) {
    const method: unknown = Reflect.get(resource, name);
    if (typeof method === "function") return () => Reflect.apply(method, resource, []);
  }
  return undefined;
}
