/**
 * Calling a function of the user, and telling apart what it returns.
 *
 * @module
 */

/** Calls a function of the user. */
export function applyUser(
  fn: Parameters<typeof Reflect.apply>[0],
  self: unknown,
  params: readonly unknown[],
): unknown {
  try {
    return Reflect.apply(fn, self, params);
  } catch (error) {
    // The engine of Bun leaves out the frame of a function whose last act is a call, unless it may catch.
    throw error;
  }
}

/** A result that comes later. */
export function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** A result that can be sent item by item. A string could too, and is never meant to. */
export function isStreamable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** The result of a generator function, which has no other use than its items. */
export function isGenerator(value: object): value is AsyncIterable<unknown> | Iterable<unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) return false;
  return "next" in value && typeof value.next === "function" &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}
