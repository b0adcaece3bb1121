/**
 * What kind of value a handler returned.
 *
 * @module
 */

/** What comes later. */
export function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** What can be sent item by item. A text could, and is never meant to. */
export function isStreamable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** What a generator function made: there is nothing else that can be done with it. */
export function isGenerator(value: object): value is AsyncIterable<unknown> | Iterable<unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) return false;
  return "next" in value && typeof value.next === "function" &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}
